-- jobs.db of version 2, as studios wrote it before attempts had ids: a dump of its rows
PRAGMA application_id = 1297236810;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- age: of two jobs of one priority, the lower one goes first
    run TEXT NOT NULL,                     -- the run folder, relative to the workspace where it lies in it
    options TEXT NOT NULL,                 -- JSON: what was chosen, see `command`
    wanted TEXT NOT NULL,                  -- "any" or a device
    device TEXT,                           -- where it runs or ran
    state TEXT NOT NULL CHECK (
        state IN ('queued', 'starting', 'running', 'cancelling', 'done', 'failed', 'cancelled', 'lost')),
    priority INTEGER NOT NULL DEFAULT 0,   -- the higher goes first
    resume INTEGER NOT NULL DEFAULT 0,
    expected_seconds REAL,
    created REAL NOT NULL,                 -- this and all other times: seconds since 1970
    started REAL,                          -- when it was given its device
    ended REAL,
    runner_pid INTEGER, runner_create_time REAL,
    pid INTEGER, create_time REAL,         -- of the trainer
    heartbeat REAL,                        -- when the runner last saw the trainer alive
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT
);
INSERT INTO "job" VALUES(1,'cells/runs/ended','["--data", "cells", "--epochs", "3"]','any','cpu','done',0,0,NULL,1000.0,1000.5,1000.9,NULL,NULL,4242,1000.6,NULL,0,NULL);
INSERT INTO "job" VALUES(2,'cells/runs/training','["--data", "cells", "--epochs", "40"]','any','cpu','running',0,0,900.0,1001.0,1002.0,NULL,4243,1001.5,4244,1002.0,1500.0,0,NULL);
INSERT INTO "job" VALUES(3,'cells/runs/first','["--data", "cells", "--set", "batch_size=4"]','any',NULL,'queued',0,0,60.0,1003.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "job" VALUES(4,'cells/runs/second','["--epochs", "10"]','cpu',NULL,'queued',1,1,NULL,1004.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
CREATE TABLE note (id INTEGER PRIMARY KEY, line TEXT NOT NULL UNIQUE);
INSERT INTO "note" VALUES(1,'old failed: its log may say why');
CREATE UNIQUE INDEX job_device ON job (device) WHERE state IN ('starting', 'running', 'cancelling');
CREATE UNIQUE INDEX job_run ON job (run) WHERE state IN ('queued', 'starting', 'running', 'cancelling');
CREATE INDEX job_state ON job (state);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('job',4);
COMMIT;
