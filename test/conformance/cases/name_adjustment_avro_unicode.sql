-- Names adjusted for Avro, reversibly.
-- option: schema.name.adjustment.mode = avro_unicode
-- option: field.name.adjustment.mode = avro_unicode
-- (schema)
CREATE TABLE "a-b" (id int PRIMARY KEY, "c-d" int, "1st" int, "ümlaut" int, "under_score" int);
-- (workload)
INSERT INTO "a-b" VALUES (1, 2, 3, 4, 5);
UPDATE "a-b" SET id = 5;
