/* writer: struct store as the files that make it up see it. Private to store/. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/chain.h"
#include "store/connection.h"
#include "store/row.h"
#include "store/store.h"

enum writer_statement {
	WRITE_BEGIN,
	WRITE_COMMIT,
	WRITE_NEW_CASE,
	WRITE_OPEN_CASE,
	WRITE_CLOSED_CASE,
	WRITE_CHANGED_CASE,
	WRITE_ARCHIVE,
	WRITE_UNOPEN,
	WRITE_EVENT,
	WRITE_KEY,
	WRITE_SETTLE_KEYS,
	WRITE_KEYS_SETTLED,
	WRITE_LEDGER,
	WRITE_AUDIT,
	WRITE_CHAIN_HEAD,
	WRITE_ACCOUNT,
	WRITE_KNOWS,
	WRITE_NEW_ACCOUNT,
	WRITE_NOTICE,
	WRITE_SEEN,
	WRITE_SPAN,
	WRITE_SPAN_AGAIN,
	WRITE_FORGET_SPAN,
	WRITE_LAST_MS,
	WRITE_EMERGENCY,
	WRITE_LIFTED,
	WRITE_NOTICES_EXPIRED,
	WRITE_POLICY,
	WRITE_SWEEP_DUE,
	WRITE_CREDENTIAL,
	WRITE_CREDENTIAL_ENDS,
	WRITE_FIND_POLICY,
	WRITE_NAMED,
	WRITE_MARK_NAMED,
	WRITE_FILE,
	WRITE_FORGET_FILES,
	WRITE_FIND_FILE,
	WRITE_FIND_KEY,
	WRITE_FIND_ARCHIVED,
	WRITER_STATEMENTS
};

struct store {
	struct connection connection;
	int lock_fd;                /* holds the lock on "<path>.lock" */
	enum store_result *failure; /* the options' */
	int64_t checkpoint_frames;
	int64_t frames; /* in the log; after a passive checkpoint they stay until the next commit begins it anew */
	_Bool all_home; /* nothing was committed since a checkpoint brought everything home */
	int64_t checkpoint_at;       /* frames from which the next checkpoint is worth it */
	int64_t last_ms;             /* newest time any fact carried */
	int64_t event_ms, ledger_ms; /* times of the newest event and ledger row: recovery finds these by itself */
	int64_t keys_settled;        /* the keys of events up to this one lie in settled_key */
	int64_t newest_key;          /* the newest event that has a key */
	int64_t keys_beside;         /* keys without an event of theirs, since all those with one had been copied */
	int64_t meta_ms;             /* last_ms as it stands in meta */
	int32_t month;               /* yyyymm of the local day that began at day_start_ms */
	int64_t day_start_ms, day_end_ms;
	struct row_units units;
	struct digester *digester;
	struct chain_head heads[CHAIN_COUNT];
	_Bool heads_moved[CHAIN_COUNT]; /* since they were written */
	enum store_result state;        /* store_state */
};

/* Counts a time that a fact carries. */
static inline void writer_saw(struct store *s, int64_t at_ms)
{
	if (at_ms > s->last_ms)
		s->last_ms = at_ms;
}

/* SQLite's result as the store's, with a line in the log when it is a failure. */
enum store_result writer_result(struct store *s, int result, const char *what);
/* Tells whoever opened the store whether its failure may be gone the next time. */
void writer_tell_failure(const struct store *s);
/* Runs what writes, in a transaction, or begins one; nothing more is done to a file whose state nobody knows. */
enum store_result writer_execute(struct store *s, sqlite3_stmt *st, const char *what) MUST_USE;
/* One row of a look-up: true. What cannot be read is not found, and store_state says so. */
_Bool writer_found(struct store *s, sqlite3_stmt *st, const char *what);
sqlite3_stmt *writer_use(struct store *s, enum writer_statement which); /* ready to be bound */
/* Reads the newest times from the database. */
_Bool writer_learn_times(struct store *s, char **cause) MUST_USE;
/* ---- spans.c ---- */
enum store_result spans_write(struct store *s, const struct facts *f) MUST_USE;
/* The columns of alarm_span, and one read from them, from column 0 on; its texts are SQLite's until the next step. */
#define WRITER_SPAN_NAMES                                                                                              \
	"id, camera, channel, event, category, case_id, case_category, began_ms, last_ms, over_ms, count, ended"
/* false: the row holds what none can be. */
_Bool spans_read(sqlite3_stmt *st, struct alarm_span *out) MUST_USE;

/* ---- keys.c ---- */
/* A new key stands in its event, which costs a fifth of what finding a place by key does, and is copied to where it can
 * be looked up when nothing else is to do. The casebook's memory holds every key that is still new: that is why with
 * those that came meanwhile less than a generation of it may wait. */
#define KEYS_NEW_MOST (CASEBOOK_KEYS_PER_GENERATION / 8 * 7)
#define KEYS_MOVED_WITH_A_COMMIT 1024 /* events, when that many wait: more than a commit brings, so they become fewer */
#define KEYS_MOVED_WHEN_IDLE 20000
/* Whether a request's answer says no more than this event, the last it made, so that the key can stand there. */
_Bool keys_told_by(const struct key_fact *k, const struct fact *last);
enum store_result keys_write(struct store *s, const struct key_fact *k) MUST_USE;
enum store_result keys_before_commit(struct store *s) MUST_USE;
_Bool keys_are_new(const struct store *s); /* some wait to be copied */
enum store_result keys_when_idle(struct store *s) MUST_USE;
_Bool keys_learn(struct store *s, char **cause) MUST_USE;
/* The columns of request_key, and an answer read from them, from column 0 on. */
#define WRITER_KEY_NAMES                                                                                               \
	"key, hash, case_id, category, state, due_ms, merged_into, merged_into_category, maybe_same_as,"               \
	" maybe_same_category, balance"
void writer_read_key(sqlite3_stmt *st, struct key_fact *out);
/* ---- write_evidence.c ---- */
enum store_result writer_write_named(struct store *s, const struct named_fact *f) MUST_USE;
enum store_result writer_write_file(struct store *s, const struct file_fact *f) MUST_USE;

#endif
