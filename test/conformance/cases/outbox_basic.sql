-- The event router with its defaults.
-- outbox: outbox
-- (schema)
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL,
    type varchar(255) NOT NULL, payload jsonb);
-- (workload)
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940064b8f', 'outbox_basic', '1', 'OrderCreated', '{"id": 1}');
INSERT INTO outbox VALUES ('406c07f3-26f0-4eea-a50c-109940064b90', 'outbox_basic', '2', 'OrderCreated', NULL);
UPDATE outbox SET type = 'x';
DELETE FROM outbox;
