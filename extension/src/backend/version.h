/*
 * What differs between PostgreSQL 15, 16, 17 and 18: the only file that asks PG_VERSION_NUM.
 * Included by raw.h and postgres.hpp, after postgres.h.
 */
#ifndef HOLDFAST_BACKEND_VERSION_H
#define HOLDFAST_BACKEND_VERSION_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "holdfast supports PostgreSQL 15 to 18"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 records name and version of a module. */
#if PG_VERSION_NUM >= 180000
#define HOLDFAST_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "holdfast", .version = "1.0")
#else
#define HOLDFAST_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/*
 * Set once an earlier statement of an extended-protocol pipeline has run in this transaction; older
 * minor releases do not tell.
 */
#ifdef XACT_FLAGS_PIPELINING
#define HOLDFAST_IN_PIPELINE() ((MyXactFlags & XACT_FLAGS_PIPELINING) != 0)
#else
#define HOLDFAST_IN_PIPELINE() false
#endif

/* Oldest transaction whose status is kept; read it under XactTruncationLock. */
#if PG_VERSION_NUM >= 170000
#define HOLDFAST_OLDEST_CLOG_XID() (TransamVariables->oldestClogXid)
#else
#define HOLDFAST_OLDEST_CLOG_XID() (ShmemVariableCache->oldestClogXid)
#endif

/* All indexes of a newly inserted row. */
#if PG_VERSION_NUM >= 160000
#define HOLDFAST_INSERT_INDEX_TUPLES(result, slot, estate) \
    list_free(ExecInsertIndexTuples((result), (slot), (estate), false, false, NULL, NIL, false))
#else
#define HOLDFAST_INSERT_INDEX_TUPLES(result, slot, estate) \
    list_free(ExecInsertIndexTuples((result), (slot), (estate), false, false, NULL, NIL))
#endif

/* Which indexes an update wants entries in. */
#if PG_VERSION_NUM >= 160000
#include "access/tableam.h"
typedef TU_UpdateIndexes HoldfastUpdateIndexes;
#define HOLDFAST_WANTS_INDEX_ENTRIES(update_indexes) ((update_indexes) != TU_None)
#else
typedef bool HoldfastUpdateIndexes;
#define HOLDFAST_WANTS_INDEX_ENTRIES(update_indexes) (update_indexes)
#endif

/* The primary key's index, if it has one that is not deferrable. */
#if PG_VERSION_NUM >= 180000
#define HOLDFAST_PRIMARY_KEY_INDEX(table) RelationGetPrimaryKeyIndex((table), false)
#else
#define HOLDFAST_PRIMARY_KEY_INDEX(table) RelationGetPrimaryKeyIndex(table)
#endif

#if PG_VERSION_NUM >= 180000
#define HOLDFAST_INDEX_BEGINSCAN(table, index, snapshot, keys) \
    index_beginscan((table), (index), (snapshot), NULL, (keys), 0)
#else
#define HOLDFAST_INDEX_BEGINSCAN(table, index, snapshot, keys) \
    index_beginscan((table), (index), (snapshot), (keys), 0)
#endif

/* Whether `role` may name things of a schema, and execute a function. */
#if PG_VERSION_NUM >= 160000
#define HOLDFAST_MAY_USE(schema, role) \
    (object_aclcheck(NamespaceRelationId, (schema), (role), ACL_USAGE) == ACLCHECK_OK)
#define HOLDFAST_MAY_CALL(function, role) \
    (object_aclcheck(ProcedureRelationId, (function), (role), ACL_EXECUTE) == ACLCHECK_OK)
#else
#define HOLDFAST_MAY_USE(schema, role) \
    (pg_namespace_aclcheck((schema), (role), ACL_USAGE) == ACLCHECK_OK)
#define HOLDFAST_MAY_CALL(function, role) \
    (pg_proc_aclcheck((function), (role), ACL_EXECUTE) == ACLCHECK_OK)
#endif

/* The parts of a name with dots, as a list of strings. */
#if PG_VERSION_NUM >= 160000
#define HOLDFAST_QUALIFIED_NAME(name) stringToQualifiedNameList((name), NULL)
#else
#define HOLDFAST_QUALIFIED_NAME(name) stringToQualifiedNameList(name)
#endif

/*
 * Whether a reader of a slot that asks for WAL up to `lsn` may have to wait: for the WAL, and since
 * 17 for the standbys that a failover slot must not overtake.
 */
#define HOLDFAST_END_OF_WAL() \
    (RecoveryInProgress() ? GetXLogReplayRecPtr(NULL) : GetFlushRecPtr(NULL))
#if PG_VERSION_NUM >= 170000
#define HOLDFAST_MAY_WAIT_FOR_WAL(lsn) \
    (MyReplicationSlot->data.failover || (lsn) > HOLDFAST_END_OF_WAL())
#else
#define HOLDFAST_MAY_WAIT_FOR_WAL(lsn) ((lsn) > HOLDFAST_END_OF_WAL())
#endif

/* Goes before a declaration. */
#if PG_VERSION_NUM >= 180000
#define HOLDFAST_NORETURN pg_noreturn
#else
#define HOLDFAST_NORETURN pg_attribute_noreturn()
#endif

#endif
