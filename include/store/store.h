/* store: the database. Facts go in as rows, one transaction a batch; the open rows come out again at start. SQLite only
 * here. One struct store is the one read-write connection; it does every write and every checkpoint, on one thread
 * (Debian 12's SQLite corrupts a WAL database when another connection checkpoints). Readers: store/query.h. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>

#include "store/room.h"
#include "workflow/casebook.h"
#include "workflow/command.h"
#include "workflow/facts.h"

struct store;

/* Once, before any store or reader is opened: leaves out SQLite's count of its memory, which costs a lock an allocation. */
void store_prepare_process(void);

struct store_options {
	const char *path;          /* database file; its folder must exist */
	const char *vfs;           /* NULL: the system's */
	int64_t checkpoint_frames; /* checkpoint between batches from this many WAL frames on */
	/* May be NULL. Set when store_open or store_recover fails: STORE_DAMAGED (or no database of ours) wants a person,
	 * anything else may be gone the next time. */
	enum store_result *failure;
	struct room_limits room; /* for who owns the store: the store itself does not look */
};

enum store_result {
	STORE_OK = 0,
	STORE_FULL,    /* disk full: rolled back, nothing of the batch is there; answer "retry later" */
	STORE_UNKNOWN, /* the commit may or may not be on disk: answer nobody, end the process, restart */
	STORE_DAMAGED, /* the file is no sound database any more: answer nobody, end, do not restart */
};

/* Opens or creates, migrates, takes the write lock for good. NULL with *cause (heap) when that fails: wrong application,
 * newer schema, damaged, in use by another process. */
struct store *store_open(const struct store_options *o, char **cause) MUST_USE;
void store_close(struct store *s); /* checkpoints; NULL is fine */

/* Loads every open case, account, follower, counter and the newest keys into an empty casebook. */
_Bool store_recover(struct store *s, struct casebook *b, char **cause) MUST_USE;

/* A batch: begin, any number of writes, commit. Writes are in the order decided, after casebook_apply of the same facts. */
enum store_result store_begin(struct store *s) MUST_USE;
enum store_result store_write(struct store *s, const struct facts *f) MUST_USE;
enum store_result store_commit(struct store *s) MUST_USE;
/* After STORE_FULL memory is ahead of the disk: the caller must throw its casebook away and recover a new one. */
void store_rollback(struct store *s);

/* A row of the audit that no command decides: in a transaction. */
struct audit_fact;
enum store_result store_write_audit(struct store *s, const struct audit_fact *f) MUST_USE;
/* The newest row of the audit and of the ledger, to be noted elsewhere. */
#define STORE_HEADS_SIZE 200
void store_heads(const struct store *s, char out[STORE_HEADS_SIZE]);

/* STORE_OK, or the failure after which nothing more is written: once something is unknown or damaged, every begin, write
 * and commit says so again, and the store's end leaves the file alone. Ask after looking something up, for what cannot be
 * read is not found. */
enum store_result store_state(const struct store *s) MUST_USE;

/* The stored answer of a key; false when there is none. */
_Bool store_find_key(struct store *s, const struct uuid *key, struct key_fact *out);
/* Whether a case is in the archive, and its category and state, to tell "archived" from "unknown". */
_Bool store_find_archived(struct store *s, int64_t case_id, int32_t *category, enum state *state);

/* Whether this person has uploaded this file completely. */
void store_find_evidence(struct store *s, struct evidence_ref *e, const char *person);
/* Whether a row of anything says that there is or was this account. Not after its erasure. */
_Bool store_knows(struct store *s, const char *account);
/* In a transaction: uploads of before this time that no case has named are nobody's any more; how many those were. */
enum store_result store_forget_evidence(struct store *s, int64_t before_ms, int64_t *forgotten) MUST_USE;

/* Between batches: a checkpoint when the WAL is long enough, or when idle is true and it is not empty. */
enum store_result store_checkpoint(struct store *s, _Bool idle) MUST_USE;
_Bool store_wants_checkpoint(const struct store *s, _Bool idle); /* false: it would do nothing */
#define STORE_SCHEMA_VERSION 3
#define STORE_APPLICATION_ID 0x67726964 /* "grid" */

#endif
