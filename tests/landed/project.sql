BEGIN TRANSACTION;
CREATE TABLE class (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    colour TEXT NOT NULL,
    hotkey TEXT,                           -- one of 0-9, a-z
    skeleton TEXT                          -- JSON {"names": [...], "edges": [[0, 1], ...]}
);
INSERT INTO "class" VALUES('square',0,'#e69f00','1',NULL);
INSERT INTO "class" VALUES('strange',1,'#56b4e9','2',NULL);
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id),
    parent INTEGER REFERENCES history (id),
    saved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    regions TEXT NOT NULL                  -- JSON list, see region_json
);
INSERT INTO "history" VALUES(1,1,NULL,'2026-11-30T03:18:14.980Z','[{"id":"6bd3dcab0bf7445b0000000000000000","shape":{"kind":"polygon","points":[[7,7],[39,7],[39,39],[7,39]]},"class_name":"square"}]');
INSERT INTO "history" VALUES(2,2,NULL,'2026-11-30T03:18:14.980Z','[{"id":"6bd3dcab0bf7445b0000000100000000","shape":{"kind":"polygon","points":[[38,11],[68,11],[68,41],[38,41]]},"class_name":"square"}]');
INSERT INTO "history" VALUES(3,3,NULL,'2026-11-30T03:18:14.980Z','[{"id":"6bd3dcab0bf7445b0000000200000000","shape":{"kind":"polygon","points":[[22,22],[47,22],[47,47],[22,47]]},"class_name":"square"}]');
INSERT INTO "history" VALUES(4,4,NULL,'2026-11-30T03:18:14.980Z','[{"id":"6bd3dcab0bf7445b0000000300000000","shape":{"kind":"polygon","points":[[24,2],[57,2],[57,35],[24,35]]},"class_name":"square","attributes":{"note":"f\u00fcr sp\u00e4ter"}}]');
INSERT INTO "history" VALUES(5,1,1,'2026-11-30T03:18:15.006Z','[{"id":"6bd3dcab0bf7445b0000000000000000","shape":{"kind":"polygon","points":[[7,7],[39,7],[39,39],[7,39]]},"class_name":"square"},{"id":"54557ec857294282937491d15dd5174a","shape":{"kind":"rect","x":1,"y":2,"width":10,"height":8},"class_name":"odd","attributes":{"kind":"odd"}},{"id":"c3f89d532f594cdc8723c59d062082fc","shape":{"kind":"circle","cx":20.5,"cy":20,"r":5},"class_name":"odd","attributes":{"kind":"odd"}},{"id":"8478efff6fa7493391026461cfd9fbe4","shape":{"kind":"ellipse","cx":40,"cy":30,"rx":10,"ry":5,"theta":0.5},"class_name":"odd","attributes":{"kind":"odd"}},{"id":"3b54e227162b42229bd6e74ad355b716","shape":{"kind":"polyline","points":[[1,1],[5,5.25],[9,1]]},"class_name":"odd","attributes":{"kind":"odd"}},{"id":"1f8815b7ba5a4b9c88018f046a45bb20","shape":{"kind":"point","cx":3,"cy":4},"class_name":"odd","attributes":{"kind":"odd"}},{"id":"fae5442b5c0b4df2817884cc47dff4f3","shape":{"kind":"polygon","points":[[50,10],[60,10],[55,20]]},"class_name":"odd","attributes":{"kind":"odd"}}]');
INSERT INTO "history" VALUES(6,1,5,'2026-11-30T03:18:15.010Z','[{"id":"6bd3dcab0bf7445b0000000000000000","shape":{"kind":"polygon","points":[[7,7],[39,7],[39,39],[7,39]]},"class_name":"square"},{"id":"7a862d7014b84c70b2a22af4eaf0fe7e","shape":{"kind":"rect","x":1,"y":2,"width":10,"height":8},"class_name":"odd","attributes":{"kind":"odd"}},{"id":"a94e9bcc270742f49e51737055182bec","shape":{"kind":"circle","cx":20.5,"cy":20,"r":5},"class_name":"odd","attributes":{"kind":"odd"}},{"id":"e13531dd1d9942abb8f9ebb3fda160fe","shape":{"kind":"ellipse","cx":40,"cy":30,"rx":10,"ry":5,"theta":0.5},"class_name":"odd","attributes":{"kind":"odd"}}]');
INSERT INTO "history" VALUES(7,1,5,'2026-11-30T03:18:15.022Z','[{"id":"6bd3dcab0bf7445b0000000000000000","shape":{"kind":"polygon","points":[[7,7],[39,7],[39,39],[7,39]]},"class_name":"square"},{"id":"54557ec857294282937491d15dd5174a","shape":{"kind":"rect","x":1,"y":2,"width":10,"height":8},"class_name":"strange","attributes":{"kind":"odd"}},{"id":"c3f89d532f594cdc8723c59d062082fc","shape":{"kind":"circle","cx":20.5,"cy":20,"r":5},"class_name":"strange","attributes":{"kind":"odd"}},{"id":"8478efff6fa7493391026461cfd9fbe4","shape":{"kind":"ellipse","cx":40,"cy":30,"rx":10,"ry":5,"theta":0.5},"class_name":"strange","attributes":{"kind":"odd"}},{"id":"3b54e227162b42229bd6e74ad355b716","shape":{"kind":"polyline","points":[[1,1],[5,5.25],[9,1]]},"class_name":"strange","attributes":{"kind":"odd"}},{"id":"1f8815b7ba5a4b9c88018f046a45bb20","shape":{"kind":"point","cx":3,"cy":4},"class_name":"strange","attributes":{"kind":"odd"}},{"id":"fae5442b5c0b4df2817884cc47dff4f3","shape":{"kind":"polygon","points":[[50,10],[60,10],[55,20]]},"class_name":"strange","attributes":{"kind":"odd"}}]');
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
INSERT INTO "image" VALUES(1,'square0.png','square0.png','8648f656c3768258ec0b5ebeb4fba1cb87147c05145c3d37f01ed64938e707e3',11110,96,64,'train',1,'{}',5,7,7,'{"via": {"flavour": "via2", "key": "square0.png"}}',0);
INSERT INTO "image" VALUES(2,'square1.png','square1.png','6722440710b37d28fb876959af346959f7239f0aa6e6f5f8cac88888347a9295',11382,96,64,'train',0,'{}',1,2,1,'{"via": {"flavour": "via2", "key": "square1.png"}}',0);
INSERT INTO "image" VALUES(3,'square2.png','square2.png','1e27f1b153c7a7c05e87d4bc5a793ff135487ef189c7487a6e568bba7ce72669',11971,96,64,'val',0,'{}',1,3,1,'{"via": {"flavour": "via2", "key": "square2.png"}}',0);
INSERT INTO "image" VALUES(4,'square3.png','square3.png','e9829e4407f2151d02d168267f9e87ca485d102bb8d624e4370541daf9dab8cc',11020,96,64,'train',0,'{}',1,4,1,'{"via": {"flavour": "via2", "key": "square3.png"}}',1);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('name','"squares"');
INSERT INTO "meta" VALUES('class_attribute','"kind"');
INSERT INTO "meta" VALUES('extras','{"flavour": "via2"}');
CREATE TABLE region (
    image_id INTEGER NOT NULL REFERENCES image (id),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    class_name TEXT,
    PRIMARY KEY (image_id, position)
) WITHOUT ROWID;
INSERT INTO "region" VALUES(1,0,'6bd3dcab0bf7445b0000000000000000','square');
INSERT INTO "region" VALUES(1,1,'54557ec857294282937491d15dd5174a','strange');
INSERT INTO "region" VALUES(1,2,'c3f89d532f594cdc8723c59d062082fc','strange');
INSERT INTO "region" VALUES(1,3,'8478efff6fa7493391026461cfd9fbe4','strange');
INSERT INTO "region" VALUES(1,4,'3b54e227162b42229bd6e74ad355b716','strange');
INSERT INTO "region" VALUES(1,5,'1f8815b7ba5a4b9c88018f046a45bb20','strange');
INSERT INTO "region" VALUES(1,6,'fae5442b5c0b4df2817884cc47dff4f3','strange');
INSERT INTO "region" VALUES(2,0,'6bd3dcab0bf7445b0000000100000000','square');
INSERT INTO "region" VALUES(3,0,'6bd3dcab0bf7445b0000000200000000','square');
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    pictures INTEGER NOT NULL,
    regions INTEGER NOT NULL,
    facts TEXT NOT NULL                    -- JSON {"classes": [...], "class_attribute": ..., "extras": {...}}
);
INSERT INTO "snapshot" VALUES(1,'before the lesson','2026-11-30T03:18:15.017Z',3,9,'{"classes": [{"name": "square", "colour": "#e69f00", "hotkey": "1", "skeleton": null}, {"name": "odd", "colour": "#56b4e9", "hotkey": "2", "skeleton": null}], "class_attribute": "kind", "extras": {"flavour": "via2"}}');
INSERT INTO "snapshot" VALUES(2,'run first','2026-11-30T03:18:20.321Z',3,9,'{"classes": [{"name": "square", "colour": "#e69f00", "hotkey": "1", "skeleton": null}, {"name": "strange", "colour": "#56b4e9", "hotkey": "2", "skeleton": null}], "class_attribute": "kind", "extras": {"flavour": "via2"}}');
CREATE TABLE snapshot_image (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id),
    image_id INTEGER NOT NULL REFERENCES image (id),
    state INTEGER NOT NULL REFERENCES history (id),
    revision INTEGER NOT NULL,
    split TEXT NOT NULL,
    PRIMARY KEY (snapshot_id, image_id)
) WITHOUT ROWID;
INSERT INTO "snapshot_image" VALUES(1,1,5,4,'train');
INSERT INTO "snapshot_image" VALUES(1,2,2,1,'train');
INSERT INTO "snapshot_image" VALUES(1,3,3,1,'val');
INSERT INTO "snapshot_image" VALUES(2,1,7,5,'train');
INSERT INTO "snapshot_image" VALUES(2,2,2,1,'train');
INSERT INTO "snapshot_image" VALUES(2,3,3,1,'val');
CREATE UNIQUE INDEX class_hotkey ON class (hotkey);
CREATE INDEX image_status ON image (removed, split, done, revision, n_regions);
CREATE INDEX region_class ON region (class_name);
CREATE INDEX history_children ON history (parent);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('image',4);
INSERT INTO "sqlite_sequence" VALUES('history',7);
INSERT INTO "sqlite_sequence" VALUES('snapshot',2);
COMMIT;
PRAGMA user_version = 2;
