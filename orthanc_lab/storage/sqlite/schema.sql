-- The tables of the index.
--
-- Compact on purpose: the main DICOM tags, the metadata and the attachments of a resource are one JSON
-- object each, read as a whole and searched with ->>, which PostgreSQL spells the same way.

CREATE TABLE resources (
    key         INTEGER PRIMARY KEY,            -- order of creation; never used twice
    level       INTEGER NOT NULL,               -- 0 patient, 1 study, 2 series, 3 instance
    id          TEXT NOT NULL,                  -- Orthanc identifier
    parent      INTEGER REFERENCES resources,
    identifier  TEXT NOT NULL,                  -- PatientID, or the UID of the level; folded, without outer blanks
    tags        TEXT NOT NULL,                  -- JSON: "gggg,eeee" -> main DICOM tag
    folded      TEXT,                           -- JSON: those of the tags that differ in upper case, so written
    metadata    TEXT NOT NULL,                  -- JSON: name, or number of a user-defined one -> value
    attachments TEXT,                           -- JSON: type -> [uuid, uncompressed size, its MD5, compressed size,
                                                -- its MD5, is compressed, key of a small file or null]
    last_update TEXT,                           -- metadata LastUpdate; NULL for an instance
    stable      INTEGER NOT NULL,               -- 0 until StableAge has passed without a new instance below
    rank        INTEGER,                        -- of a patient: the lowest one is recycled first; NULL = protected
    UNIQUE (level, id)
);
CREATE INDEX resources_by_parent ON resources (parent);
CREATE INDEX resources_by_identifier ON resources (identifier);
CREATE INDEX patients_by_rank ON resources (rank) WHERE rank IS NOT NULL;
CREATE INDEX unstable_resources ON resources (key) WHERE stable = 0;

CREATE TABLE small_files (                      -- attachments that share the commit of their row
    key     INTEGER PRIMARY KEY,                -- never used twice
    content BLOB NOT NULL
);

CREATE TABLE labels (
    resource INTEGER NOT NULL REFERENCES resources,
    label    TEXT NOT NULL,
    PRIMARY KEY (resource, label)
);
CREATE INDEX labels_by_label ON labels (label);

CREATE TABLE changes (                          -- those of deleted resources are not shown, and purged now and then
    seq      INTEGER PRIMARY KEY,
    type     TEXT NOT NULL,
    resource INTEGER NOT NULL,
    date     TEXT NOT NULL                      -- YYYYMMDDTHHMMSS, UTC
);

CREATE TABLE exports (
    seq                 INTEGER PRIMARY KEY,
    level               INTEGER NOT NULL,
    id                  TEXT NOT NULL,
    remote_modality     TEXT NOT NULL,
    date                TEXT NOT NULL,
    patient_id          TEXT NOT NULL,
    study_instance_uid  TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid    TEXT NOT NULL
);

CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);

CREATE TABLE totals (                           -- one row, written with every commit that changes it
    last_resource     INTEGER NOT NULL,
    last_small_file   INTEGER NOT NULL,
    last_change       INTEGER NOT NULL,
    last_export       INTEGER NOT NULL,
    last_rank         INTEGER NOT NULL,
    stale_changes     INTEGER NOT NULL,         -- resources deleted since the changes were purged
    patients          INTEGER NOT NULL,
    studies           INTEGER NOT NULL,
    series            INTEGER NOT NULL,
    instances         INTEGER NOT NULL,
    disk_size         INTEGER NOT NULL,
    uncompressed_size INTEGER NOT NULL
);
INSERT INTO totals VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
