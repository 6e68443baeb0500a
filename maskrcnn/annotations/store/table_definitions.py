"""The SQL tables of `project.db`, of the present and of older versions.

`database_check` compares the tables of a project with these definitions, so those of older versions must not change.
"""

VERSION = 4
"""The present schema version. `migrations` converts older databases to it; newer ones are refused."""

VERSION_2 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);  -- JSON values, see project_meta

CREATE TABLE class (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    colour TEXT NOT NULL,
    hotkey TEXT,                           -- one of 0-9, a-z
    skeleton TEXT                          -- JSON {"names": [...], "edges": [[0, 1], ...]}
);
CREATE UNIQUE INDEX class_hotkey ON class (hotkey);

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_name TEXT NOT NULL UNIQUE,        -- in images/
    given_name TEXT NOT NULL,              -- as the picture was called where it came from
    sha256 TEXT NOT NULL,
    file_size INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    split TEXT NOT NULL CHECK (split IN ('train', 'val')),
    done INTEGER NOT NULL DEFAULT 0,
    attributes TEXT NOT NULL,              -- JSON
    revision INTEGER NOT NULL DEFAULT 1,   -- grows with every save, undo and redo
    state INTEGER,                         -- the history row that is shown now
    n_regions INTEGER NOT NULL DEFAULT 0,  -- in that state
    extras TEXT NOT NULL DEFAULT '{}',     -- JSON
    removed INTEGER NOT NULL DEFAULT 0     -- hidden, never deleted
);
CREATE INDEX image_status ON image (removed, split, done, revision, n_regions);

-- One row for each region of each picture that is not removed: what can be counted. What was drawn is in history.
CREATE TABLE region (
    image_id INTEGER NOT NULL REFERENCES image (id),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    class_name TEXT,
    PRIMARY KEY (image_id, position)
) WITHOUT ROWID;
CREATE INDEX region_class ON region (class_name);

-- A tree of states for each image: a save adds a child to the state it started from, undo goes to the parent, redo to
-- the youngest child. Rows are never changed or deleted, so nothing that was ever saved is lost.
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id),
    parent INTEGER REFERENCES history (id),
    saved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    regions TEXT NOT NULL                  -- JSON list, see region_json
);
CREATE INDEX history_children ON history (parent);

-- A snapshot names the state of each picture at one moment; as states never change, that is all it takes.
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    pictures INTEGER NOT NULL,
    regions INTEGER NOT NULL,
    facts TEXT NOT NULL                    -- JSON {"classes": [...], "class_attribute": ..., "extras": {...}}
);
CREATE TABLE snapshot_image (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id),
    image_id INTEGER NOT NULL REFERENCES image (id),
    state INTEGER NOT NULL REFERENCES history (id),
    revision INTEGER NOT NULL,
    split TEXT NOT NULL,
    PRIMARY KEY (snapshot_id, image_id)
) WITHOUT ROWID;
"""
"""The tables of version 2."""

_LABEL_DECISION = (
    """
-- What a person decided about a suspected label error, see label_review. The box is in picture pixels.
CREATE TABLE label_decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id),
    kind TEXT NOT NULL,                    -- of the suspected error
    class_name TEXT NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    decision TEXT NOT NULL,
    decided_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)""",
    "CREATE INDEX label_decision_image ON label_decision (image_id)",
)

_SUGGESTED = (
    """
-- Regions that a network suggests, see suggested.suggestions. No part of the labels.
CREATE TABLE suggestion (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    stamp TEXT NOT NULL,                   -- the state of its checkpoint; empty: unknown
    made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    regions TEXT NOT NULL,                 -- JSON list, see region_json
    undecided INTEGER NOT NULL,            -- number of regions that were neither accepted nor thrown away
    decided TEXT NOT NULL DEFAULT '[]'     -- JSON list of the ids of the others
)""",
    "CREATE UNIQUE INDEX suggestion_image ON suggestion (image_id, network)",
    """
-- What a network sees in a picture, see suggested.looks: little-endian float32 numbers.
CREATE TABLE picture_look (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    stamp TEXT NOT NULL,
    features BLOB NOT NULL,
    scores BLOB NOT NULL
)""",
    "CREATE UNIQUE INDEX picture_look_image ON picture_look (image_id, network)",
    "CREATE INDEX picture_look_network ON picture_look (network, stamp, image_id)",
)

TABLES_3 = "".join((VERSION_2, *(f"{statement};\n" for statement in _LABEL_DECISION)))
"""The tables of version 3."""

TABLES = "".join((TABLES_3, *(f"{statement};\n" for statement in _SUGGESTED)))
"""The tables of the present version."""

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE class (name TEXT PRIMARY KEY, position INTEGER NOT NULL, colour TEXT NOT NULL);

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_name TEXT NOT NULL UNIQUE,
    given_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    file_size INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    split TEXT NOT NULL CHECK (split IN ('train', 'val')),
    done INTEGER NOT NULL DEFAULT 0,
    attributes TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    state INTEGER
);

CREATE TABLE region (
    image_id INTEGER NOT NULL REFERENCES image (id),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    class_name TEXT,
    document TEXT NOT NULL,
    PRIMARY KEY (image_id, position)
);
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id),
    parent INTEGER REFERENCES history (id),
    saved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    regions TEXT NOT NULL
);
CREATE INDEX history_children ON history (parent);
"""
"""The tables of version 1."""

TO_VERSION_2 = (
    "ALTER TABLE class ADD COLUMN hotkey TEXT",
    "ALTER TABLE class ADD COLUMN skeleton TEXT",
    "CREATE UNIQUE INDEX class_hotkey ON class (hotkey)",
    "ALTER TABLE image ADD COLUMN n_regions INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE image ADD COLUMN extras TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE image ADD COLUMN removed INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX image_status ON image (removed, split, done, revision, n_regions)",
    "UPDATE image SET n_regions = (SELECT count(*) FROM region WHERE image_id = image.id)",
    """CREATE TABLE region_2 (
        image_id INTEGER NOT NULL REFERENCES image (id),
        position INTEGER NOT NULL,
        id TEXT NOT NULL,
        class_name TEXT,
        PRIMARY KEY (image_id, position)
    ) WITHOUT ROWID""",
    "INSERT INTO region_2 SELECT image_id, position, id, class_name FROM region",
    "DROP TABLE region",
    "ALTER TABLE region_2 RENAME TO region",
    "CREATE INDEX region_class ON region (class_name)",
    """CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        pictures INTEGER NOT NULL,
        regions INTEGER NOT NULL,
        facts TEXT NOT NULL
    )""",
    """CREATE TABLE snapshot_image (
        snapshot_id INTEGER NOT NULL REFERENCES snapshot (id),
        image_id INTEGER NOT NULL REFERENCES image (id),
        state INTEGER NOT NULL REFERENCES history (id),
        revision INTEGER NOT NULL,
        split TEXT NOT NULL,
        PRIMARY KEY (snapshot_id, image_id)
    ) WITHOUT ROWID""",
)
"""The statements that convert version 1 to version 2. Never change these; only `TABLES` may change."""

TO_VERSION_3 = _LABEL_DECISION
"""The statements that convert version 2 to version 3."""

TO_VERSION_4 = _SUGGESTED
"""The statements that convert version 3 to version 4."""
