-- Names adjusted for Avro.
-- option: schema.name.adjustment.mode = avro
-- option: field.name.adjustment.mode = avro
-- (schema)
CREATE TABLE "a-b" (id int PRIMARY KEY, "c-d" int, "1st" int, "ümlaut" int, "x y" text);
-- (workload)
INSERT INTO "a-b" VALUES (1, 2, 3, 4, 'v');
UPDATE "a-b" SET id = 5;
