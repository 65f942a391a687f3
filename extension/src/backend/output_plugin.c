#include "postgres.h"

#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "backend/output_plugin.h"
#include "backend/version.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "port/pg_bswap.h"
#include "replication/logical.h"
#include "replication/output_plugin.h"
#include "replication/slot.h"
#include "utils/guc.h"

/*
 * pgoutput hands every message to the walsender, which sends it at once: three system calls and
 * three looks at the socket for a transaction of one row, more than half of what decoding it costs.
 * So this plugin stands between the two.  pgoutput makes all messages; the writer's functions,
 * which a decoding context holds as pointers, are ours, and let messages gather in the context's
 * buffer.
 *
 * What gathers has to leave before the walsender waits for more WAL.  It waits only in its page
 * reader, so that is ours too: it sees the wait coming by the page that is asked for.
 */

/* A batch leaves after this many pages of WAL that did not fill it: milliseconds of decoding. */
#define MAX_PAGES_HELD 64

/* length and LSN */
#define FRAME_HEADER_BYTES ((int)(sizeof(uint32) + sizeof(uint64)))

#define MAX_BATCH_BYTES (16 * 1024 * 1024)

/* A process decodes from one slot at a time, so there is one of these, as pgoutput does it. */
static struct {
    LogicalDecodeStartupCB startup; /* pgoutput's */
    LogicalOutputPluginWriterPrepareWrite prepare_write;
    LogicalOutputPluginWriterWrite write;
    LogicalOutputPluginWriterUpdateProgress update_progress;
    XLogPageReadCB read_page;

    int limit_bytes;
    bool open;        /* the context's buffer holds frames that were not sent */
    int frame_offset; /* in that buffer: the frame that is being made, or the last one */
    XLogRecPtr first_lsn;
    TransactionId first_xid;
    XLogRecPtr marked; /* the last end mark */
    int pages_held;    /* read since the batch was opened */
} batch;

static void open_frame(LogicalDecodingContext* context, XLogRecPtr lsn, TransactionId xid) {
    if (!batch.open) {
        batch.prepare_write(context, lsn, xid, true);
        batch.open = true;
        batch.first_lsn = lsn;
        batch.first_xid = xid;
        batch.pages_held = 0;
    }
    batch.frame_offset = context->out->len;
    appendStringInfoSpaces(context->out, FRAME_HEADER_BYTES);
}

static void close_frame(LogicalDecodingContext* context, XLogRecPtr lsn) {
    char* header = context->out->data + batch.frame_offset;
    uint32 length =
        pg_hton32((uint32)(context->out->len - batch.frame_offset - FRAME_HEADER_BYTES));
    uint64 position = pg_hton64(lsn);

    memcpy(header, &length, sizeof length);
    memcpy(header + sizeof length, &position, sizeof position);
}

static void send_batch(LogicalDecodingContext* context) {
    batch.open = false;
    batch.write(context, batch.first_lsn, batch.first_xid, true);
}

/* An empty frame: everything that ends before `lsn` has been sent with this batch. */
static void send_batch_with_mark(LogicalDecodingContext* context, XLogRecPtr lsn) {
    open_frame(context, lsn, InvalidTransactionId);
    close_frame(context, lsn);
    send_batch(context);
    batch.marked = lsn;
}

static void prepare_frame(LogicalDecodingContext* context, XLogRecPtr lsn, TransactionId xid,
                          bool last_write pg_attribute_unused()) {
    open_frame(context, lsn, xid);
}

static void write_frame(LogicalDecodingContext* context, XLogRecPtr lsn,
                        TransactionId xid pg_attribute_unused(), bool last_write) {
    /* As the walsender marks messages that belong to the one that follows. */
    close_frame(context, last_write ? lsn : InvalidXLogRecPtr);
    if (context->out->len >= batch.limit_bytes) send_batch(context);
}

/* Comes every hundred changes or so of a transaction, published or not, and at its end. */
static void update_progress(LogicalDecodingContext* context, XLogRecPtr lsn, TransactionId xid,
                            bool skipped_xact) {
    if (batch.open && !context->end_xact) send_batch(context);
    batch.update_progress(context, lsn, xid, skipped_xact);
}

static int read_page(XLogReaderState* reader, XLogRecPtr page, int length, XLogRecPtr record,
                     char* buffer) {
    LogicalDecodingContext* context = reader->private_data;

    if (HOLDFAST_MAY_WAIT_FOR_WAL(page + length)) {
        if (batch.open || reader->EndRecPtr > batch.marked)
            send_batch_with_mark(context, reader->EndRecPtr);
    } else if (batch.open && ++batch.pages_held >= MAX_PAGES_HELD) {
        send_batch(context);
    }
    return batch.read_page(reader, page, length, record, buffer);
}

/* Takes our option out of the list: pgoutput refuses what it does not know.  0 = not asked for. */
static int take_batch_bytes(LogicalDecodingContext* context) {
    int bytes = 0;
    ListCell* cell;

    foreach (cell, context->output_plugin_options) {
        DefElem* option = lfirst(cell);
        const char* text;

        if (strcmp(option->defname, "batch_bytes") != 0) continue;
        text = option->arg == NULL ? "" : strVal(option->arg);
        if (!parse_int(text, &bytes, 0, NULL) || bytes < 0 || bytes > MAX_BATCH_BYTES)
            ereport(
                ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("invalid value for option \"batch_bytes\": \"%s\"", text),
                errdetail("It is a number of bytes from 0 (no batches) to %d.", MAX_BATCH_BYTES));
        context->output_plugin_options =
            foreach_delete_current(context->output_plugin_options, cell);
    }
    return bytes;
}

static void start_up(LogicalDecodingContext* context, OutputPluginOptions* options, bool is_init) {
    int bytes = take_batch_bytes(context);

    batch.startup(context, options, is_init);
    if (bytes == 0) return;
    /*
     * The functions of SQL, which unlike a walsender report no progress, end without another page
     * read: what still gathers then would be lost.
     */
    if (context->update_progress == NULL)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("option \"batch_bytes\" can only be used with START_REPLICATION"),
                errhint("Leave it out, and the messages are those of pgoutput."));
    batch.limit_bytes = bytes;
    batch.open = false;
    batch.marked = InvalidXLogRecPtr;
    batch.prepare_write = context->prepare_write;
    batch.write = context->write;
    batch.update_progress = context->update_progress;
    batch.read_page = context->reader->routine.page_read;
    context->prepare_write = prepare_frame;
    context->write = write_frame;
    context->update_progress = update_progress;
    context->reader->routine.page_read = read_page;
}

void _PG_output_plugin_init(OutputPluginCallbacks* callbacks) {
    LogicalOutputPluginInit init = (LogicalOutputPluginInit)load_external_function(
        "pgoutput", "_PG_output_plugin_init", true, NULL);

    init(callbacks);
    batch.startup = callbacks->startup_cb;
    callbacks->startup_cb = start_up;
}
