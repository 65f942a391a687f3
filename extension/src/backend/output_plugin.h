/*
 * The output plugin `holdfast` ("Logical Decoding Output Plugins" in the PostgreSQL manual):
 * pgoutput, with many messages in one of the walsender's.
 *
 * It takes pgoutput's options and makes pgoutput's messages.  One option is its own, given to
 * START_REPLICATION:
 *
 *     batch_bytes   0 (default)   every message by itself: byte for byte what pgoutput sends
 *                   1-16777216    messages gather until they have this size, or nothing more of the
 *                                 WAL is left to decode
 *
 * With it, a WAL data message ("XLogData (B)") holds frames, big-endian:
 *
 *     batch := frame*
 *     frame := length:u32 lsn:u64 byte{length}
 *
 * A frame is one message of pgoutput, with the LSN that the walsender would have sent it under.  An
 * empty one is a mark: all transactions that end before its LSN have been sent.  Only marks say so.
 * What a keepalive gives as the end of the WAL may lie behind messages that still gather: a client
 * must not confirm more than the last mark because of it.
 */
#ifndef HOLDFAST_BACKEND_OUTPUT_PLUGIN_H
#define HOLDFAST_BACKEND_OUTPUT_PLUGIN_H

#include "replication/output_plugin.h"

extern PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks* callbacks);

#endif
