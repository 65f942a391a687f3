-- Part 56: definitions of sagas.  A definition is a list of steps; an order follows the newest version of its
-- saga from beginning to end.

CREATE FUNCTION holdfast.saga_step_problem(step jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    kind text := coalesce(step->>'kind', 'event');
    unknown text;
BEGIN
    IF jsonb_typeof(step) <> 'object' THEN
        RETURN 'must be an object';
    END IF;
    SELECT k INTO unknown FROM jsonb_object_keys(step) k
    WHERE k NOT IN ('step', 'kind', 'command', 'completesOn', 'failsOn', 'compensation', 'timeout', 'onTimeout',
                    'maxAttempts', 'pivot')
    ORDER BY k LIMIT 1;
    IF unknown IS NOT NULL THEN
        RETURN format('has an unknown member "%s"', unknown);
    END IF;
    IF EXISTS (SELECT FROM jsonb_each(step) m
               WHERE m.key IN ('step', 'kind', 'command', 'completesOn', 'failsOn', 'compensation', 'timeout', 'onTimeout')
                 AND jsonb_typeof(m.value) <> 'string') THEN
        RETURN 'has a member that must be a string and is not';
    END IF;
    BEGIN
        IF (step->>'timeout')::interval <= interval '0' THEN
            RETURN format('has timeout "%s", which is not positive', step->>'timeout');
        END IF;
    EXCEPTION WHEN data_exception THEN
        RETURN format('has timeout "%s", which is no interval', step->>'timeout');
    END;
    RETURN CASE
        WHEN coalesce(step->>'step', '') !~ '^[a-z][a-z0-9_]{0,62}$' THEN
            'needs a name: "step", of lowercase letters, digits and underscores'
        WHEN kind NOT IN ('reserve', 'payment', 'event') THEN format('has kind "%s"; the kinds are reserve, payment and event', kind)
        WHEN kind = 'event' AND coalesce(step->>'completesOn', '') = '' THEN 'needs completesOn, the type of the event that completes it'
        WHEN kind <> 'event' AND step ?| '{completesOn,failsOn,compensation}' THEN
            format('is a %s step, which needs no completesOn, failsOn or compensation', kind)
        WHEN kind = 'reserve' AND step ?| '{command,timeout,onTimeout,maxAttempts}' THEN
            'is a reserve step, which is done at once: command, timeout, onTimeout and maxAttempts are not for it'
        WHEN step->>'completesOn' = step->>'failsOn' THEN 'has one event type for completesOn and failsOn'
        WHEN step ? 'command' AND (step->>'command' !~ '^[a-zA-Z0-9._-]{1,249}$' OR step->>'command' IN ('.', '..')) THEN
            format('has command "%s", which is no topic name', step->>'command')
        WHEN step ? 'onTimeout' AND step->>'onTimeout' NOT IN ('retry', 'compensate', 'alert') THEN
            format('has onTimeout "%s"; it is retry, compensate or alert', step->>'onTimeout')
        WHEN step->>'onTimeout' = 'retry' AND NOT step ? 'command' THEN 'has onTimeout retry and no command to publish again'
        WHEN kind = 'event' AND step ? 'onTimeout' AND NOT step ? 'timeout' THEN 'has onTimeout and no timeout'
        WHEN step ? 'maxAttempts' AND (jsonb_typeof(step->'maxAttempts') <> 'number' OR step->>'maxAttempts' !~ '^[1-9][0-9]{0,5}$') THEN
            'has maxAttempts that is not a positive integer'
        WHEN step ? 'pivot' AND jsonb_typeof(step->'pivot') <> 'boolean' THEN 'has pivot that is not true or false'
        END;
END
$$;
COMMENT ON FUNCTION holdfast.saga_step_problem(jsonb) IS 'internal to register_saga: what is wrong with one step of a definition; NULL: nothing.';

CREATE FUNCTION holdfast.saga_procedure(name text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
DECLARE
    found_name text;
    parts text[];
BEGIN
    BEGIN
        parts := parse_ident(saga_procedure.name);
    EXCEPTION WHEN invalid_parameter_value THEN
        parts := NULL;  -- no name, so none that exists
    END;
    -- By the catalogue: the owner of this function may not look into the user's schema.
    SELECT format('%I.%I', n.nspname, p.proname) INTO found_name
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE ARRAY[n.nspname, p.proname]::text[] = parts AND p.prokind IN ('f', 'p')
      AND p.proargtypes::text = format('%s %s', 'bigint'::regtype::oid, 'jsonb'::regtype::oid);
    IF found_name IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF025',
            MESSAGE = format('compensation %s(bigint, jsonb) does not exist', saga_procedure.name),
            HINT = 'Name a function or procedure with its schema; its arguments are (order_id bigint, context jsonb).';
    END IF;
    RETURN found_name;
END
$$;
COMMENT ON FUNCTION holdfast.saga_procedure(text) IS 'The qualified name of a compensation; HF025 when there is none.';

CREATE FUNCTION holdfast.register_saga(name text, steps jsonb) RETURNS int
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    problem text;
    newest int;
    new_version int;
BEGIN
    IF register_saga.name IS NULL OR register_saga.steps IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF005', MESSAGE = 'name and steps of a saga must not be null';
    END IF;
    IF register_saga.name !~ '^[a-z][a-z0-9_]{0,62}$' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF028',
            MESSAGE = format('saga "%s": a name has 1 to 63 lowercase letters, digits and underscores', register_saga.name);
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('holdfast.register_saga', 0));
    IF EXISTS (SELECT FROM saga_definition d WHERE d.saga = register_saga.name AND d.built_in) THEN
        RAISE EXCEPTION USING ERRCODE = 'HF028',
            MESSAGE = format('saga "%s" is built in and stays as it is', register_saga.name),
            HINT = 'Register yours under another name and make it the default: ALTER DATABASE ... SET holdfast.saga = ...';
    END IF;
    IF jsonb_typeof(register_saga.steps) <> 'array' OR register_saga.steps = '[]' THEN
        RAISE EXCEPTION USING ERRCODE = 'HF028',
            MESSAGE = format('saga "%s": steps must be an array with at least one step', register_saga.name);
    END IF;

    SELECT format('step %s %s', s.n, p.problem) INTO problem
    FROM jsonb_array_elements(register_saga.steps) WITH ORDINALITY AS s(step, n)
         CROSS JOIN LATERAL (SELECT saga_step_problem(s.step)) AS p(problem)
    WHERE p.problem IS NOT NULL ORDER BY s.n LIMIT 1;
    IF problem IS NULL THEN
        SELECT CASE WHEN count(*) <> count(DISTINCT s->>'step') THEN 'two steps have one name'
                    WHEN count(*) FILTER (WHERE s->>'kind' = 'reserve') > 1 THEN 'there is more than one reserve step'
                    WHEN count(*) FILTER (WHERE s->>'kind' = 'payment') > 1 THEN 'there is more than one payment step'
                    WHEN count(*) FILTER (WHERE s->'pivot' = 'true') > 1 THEN 'there is more than one pivot' END
        INTO problem
        FROM jsonb_array_elements(register_saga.steps) s;
    END IF;
    IF problem IS NULL THEN
        SELECT format('event type "%s" is named twice', t.type) INTO problem
        FROM jsonb_array_elements(register_saga.steps) s
             CROSS JOIN LATERAL (VALUES (s->>'completesOn'), (s->>'failsOn')) AS t(type)
        WHERE t.type IS NOT NULL GROUP BY t.type HAVING count(*) > 1 ORDER BY t.type LIMIT 1;
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HF028',
            MESSAGE = format('saga "%s": %s', register_saga.name, problem),
            HINT = 'An example is [{"step":"reserve","kind":"reserve"}, {"step":"payment","kind":"payment"}, {"step":"shipping","command":"shipping-requested","completesOn":"ShipmentBooked","failsOn":"ShipmentRefused","compensation":"shop.cancel_shipment","timeout":"1 hour","onTimeout":"retry","maxAttempts":3}].';
    END IF;

    SELECT max(d.version) INTO newest FROM saga_definition d WHERE d.saga = register_saga.name;
    new_version := coalesce(newest, 0) + 1;
    INSERT INTO saga_definition (saga, version, step_no, step, kind, command, completes_on, fails_on, compensation,
                                 timeout, on_timeout, max_attempts, pivot)
    SELECT register_saga.name, new_version, s.n, s.step->>'step', coalesce(s.step->>'kind', 'event'), s.step->>'command',
           s.step->>'completesOn', s.step->>'failsOn',
           CASE WHEN s.step ? 'compensation' THEN saga_procedure(s.step->>'compensation') END,
           (s.step->>'timeout')::interval, coalesce(s.step->>'onTimeout', 'compensate'),
           coalesce((s.step->>'maxAttempts')::int, 1), coalesce((s.step->>'pivot')::boolean, false)
    FROM jsonb_array_elements(register_saga.steps) WITH ORDINALITY AS s(step, n);

    -- The same once more, as a deployment script says it each time.
    IF newest IS NOT NULL AND NOT EXISTS (
            (SELECT step_no, step, kind, command, completes_on, fails_on, compensation, timeout, on_timeout, max_attempts, pivot
             FROM saga_definition WHERE saga = register_saga.name AND version = new_version)
            EXCEPT
            (SELECT step_no, step, kind, command, completes_on, fails_on, compensation, timeout, on_timeout, max_attempts, pivot
             FROM saga_definition WHERE saga = register_saga.name AND version = newest))
       AND (SELECT count(*) FILTER (WHERE version = newest) = count(*) FILTER (WHERE version = new_version)
            FROM saga_definition WHERE saga = register_saga.name) THEN
        DELETE FROM saga_definition d WHERE d.saga = register_saga.name AND d.version = new_version;
        RETURN newest;
    END IF;
    RETURN new_version;
END
$$;
COMMENT ON FUNCTION holdfast.register_saga(text, jsonb) IS
    'Registers a saga, or a new version of it, and returns the version; the same steps again change nothing. steps: an array of {"step", "kind": reserve | payment | event, "command", "completesOn", "failsOn", "compensation", "timeout", "onTimeout": retry | compensate | alert, "maxAttempts", "pivot"}; see the columns of saga_definition. HF028 what is wrong with it, HF025 no such compensation.';

CREATE FUNCTION holdfast.saga_plan(name text) RETURNS TABLE (version int, stock_taking text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT d.version,
           CASE WHEN bool_or(d.kind = 'reserve' AND d.step_no = 1) THEN 'first'
                WHEN bool_or(d.kind = 'reserve') THEN 'later' ELSE 'elsewhere' END
    FROM saga_definition d WHERE d.saga = saga_plan.name
    GROUP BY d.version ORDER BY d.version DESC LIMIT 1;
END
$$;
COMMENT ON FUNCTION holdfast.saga_plan(text) IS
    'The newest version of a saga and when it takes stock: first (with the order), later, or elsewhere; no row when there is no such saga.';
