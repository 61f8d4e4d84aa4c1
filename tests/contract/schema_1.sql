PRAGMA application_id = 1702061687;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE "esflow_definitions" (
   "fingerprint" TEXT PRIMARY KEY NOT NULL,
   "definition" BLOB NOT NULL
) STRICT;
INSERT INTO "esflow_definitions" VALUES('ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',X'7B7D');
CREATE TABLE "esflow_jobs" (
   "ordinal" INTEGER PRIMARY KEY NOT NULL,
   "job_id" TEXT NOT NULL,
   "flow" TEXT NOT NULL,
   "flow_version" TEXT NOT NULL,
   "status" TEXT NOT NULL,
   "version" INTEGER NOT NULL,
   "head" TEXT NOT NULL,
   "labels" TEXT NOT NULL,
   "created_at_ms" INTEGER NOT NULL,
   "updated_at_ms" INTEGER NOT NULL,
   "wakes_at_ms" INTEGER,
   "question" TEXT,
   "error" TEXT,
   "host" TEXT,
   "lease" TEXT
) STRICT;
INSERT INTO "esflow_jobs" VALUES(1,'job','support','1','running',2,'0000000000000000000000000000000000000000000000000000000000000002','{"colour": "red"}',1763690000000,1763690000002,NULL,NULL,NULL,'host-a','mine');
INSERT INTO "esflow_jobs" VALUES(3,'other','support','1','paused',1,'0000000000000000000000000000000000000000000000000000000000000001','{}',1763690000000,1763690000001,NULL,NULL,NULL,'host-a',NULL);
CREATE TABLE stored_events (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (originator_id, originator_version)
    ) STRICT
    ;
INSERT INTO "stored_events" VALUES(1,'job',1,'Logged/1',X'7B2268617368223A202230303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303031222C20226174223A20313736333639303030303030312C2022686F7374223A2022686F73742D61222C202264617461223A207B2261637469766174696F6E223A2022312E31222C20226D657373616765223A20226F6C64222C20226669656C6473223A207B7D7D7D');
INSERT INTO "stored_events" VALUES(2,'job',2,'Logged/1',X'7B2268617368223A202230303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303032222C20226174223A20313736333639303030303030322C2022686F7374223A2022686F73742D61222C202264617461223A207B2261637469766174696F6E223A2022312E31222C20226D657373616765223A20226F6C64222C20226669656C6473223A207B7D7D7D');
INSERT INTO "stored_events" VALUES(3,'other',1,'Logged/1',X'7B2268617368223A202230303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303031222C20226174223A20313736333639303030303030312C2022686F7374223A2022686F73742D61222C202264617461223A207B2261637469766174696F6E223A2022312E31222C20226D657373616765223A2022222C20226669656C6473223A207B7D7D7D');
CREATE TRIGGER stored_events_follow_each_other
    BEFORE INSERT ON stored_events
    WHEN NEW.originator_version IS NOT coalesce(
        (SELECT max(originator_version) + 1 FROM stored_events
         WHERE originator_id = NEW.originator_id),
        NEW.originator_version <> 0)
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: a version follows the last of its stream');
    END;
CREATE TRIGGER stored_events_keep_their_position
    BEFORE INSERT ON stored_events
    WHEN EXISTS (SELECT 1 FROM stored_events WHERE rowid = NEW.rowid)
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: this position is taken');
    END;
CREATE TRIGGER stored_events_stand_in_one_order
    AFTER INSERT ON stored_events
    WHEN NEW.rowid < 1
        OR NEW.rowid <> (SELECT max(rowid) FROM stored_events)
        OR (NEW.rowid > 1 AND NOT EXISTS (SELECT 1 FROM stored_events WHERE rowid = NEW.rowid - 1))
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: a position follows the last of the log');
    END;
CREATE TRIGGER stored_events_are_never_changed
    BEFORE UPDATE ON stored_events
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: what was recorded is never changed');
    END;
CREATE TRIGGER stored_events_are_never_deleted
    BEFORE DELETE ON stored_events
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: what was recorded is never deleted');
    END;
CREATE VIEW "esflow_events" AS 
SELECT
    position,
    job_id,
    version,
    name,
    strftime('%Y-%m-%dT%H:%M:%S', json_extract(body, '$.at') / 1000, 'unixepoch')
        || printf('.%03dZ', json_extract(body, '$.at') % 1000) AS recorded_at,
    json_extract(body, '$.actor') AS actor,
    json_extract(body, '$.host') AS host,
    CASE WHEN body IS NOT NULL THEN coalesce(json_extract(body, '$.token'), 0) END AS token,
    json_extract(body, '$.hash') AS hash,
    json_extract(body, '$.data') AS data
FROM (
    SELECT
        rowid AS position,
        originator_id AS job_id,
        originator_version AS version,
        CASE instr(topic, '/')
            WHEN 0 THEN topic
            ELSE substr(topic, 1, instr(topic, '/') - 1)
        END AS name,
        CASE WHEN json_valid(CAST(state AS TEXT)) THEN CAST(state AS TEXT) END AS body
    FROM stored_events
);
CREATE UNIQUE INDEX "esflow_jobs_job_id"
    ON "esflow_jobs" ("job_id");
CREATE INDEX "esflow_jobs_status"
    ON "esflow_jobs" ("status", "ordinal");
CREATE INDEX "esflow_jobs_flow"
    ON "esflow_jobs" ("flow", "ordinal");
CREATE INDEX "esflow_jobs_flow_status"
    ON "esflow_jobs" ("flow", "status", "ordinal");
CREATE INDEX esflow_jobs_leased ON esflow_jobs (ordinal) WHERE lease IS NOT NULL;
COMMIT;
