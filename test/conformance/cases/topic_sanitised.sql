-- Names that no topic can have.
-- alone: its tables have odd names
-- (schema)
CREATE TABLE "with space" (id int PRIMARY KEY, "a b" int, "quo""te" text);
CREATE TABLE "Ünïcode" (id int PRIMARY KEY);
CREATE TABLE "dot.ted" (id int PRIMARY KEY);
CREATE TABLE "UPPER" ("ID" int PRIMARY KEY, "select" int);
CREATE SCHEMA "odd $chema";
CREATE TABLE "odd $chema"."😀" (id int PRIMARY KEY);
-- (workload)
INSERT INTO "with space" VALUES (1, 2, 'x');
INSERT INTO "Ünïcode" VALUES (1);
INSERT INTO "dot.ted" VALUES (1);
INSERT INTO "UPPER" VALUES (1, 2);
INSERT INTO "odd $chema"."😀" VALUES (1);
UPDATE "with space" SET id = 5;
