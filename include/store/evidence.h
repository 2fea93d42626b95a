/* evidence: the folder of photos and clips, beside the database. A file lies once, under the SHA-256 of its bytes
 * (aa/bb/<64 hex>), whoever sent it; uploads that are not whole yet lie in partial/, one for each person and file, and
 * can be gone on with after any break. Nothing here knows the database: who may name or fetch a file is told by rows.
 * Bytes are kept exactly as they came, with whatever the camera wrote into them (EXIF): they are evidence.
 *
 * All functions but evidence_read are for the one thread that owns the folder. No call waits longer than one chunk's or
 * one slice's disk work. */
#ifndef STORE_EVIDENCE_H
#define STORE_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "workflow/evidence.h"

enum evidence_kind { EVIDENCE_ANY = 0, EVIDENCE_IMAGE = 1, EVIDENCE_CLIP = 2 };

struct evidence_limits {
	int64_t image_most, clip_most; /* bytes of one file */
	int64_t day_most;              /* bytes a person may upload in a day; uploads under way count whole */
	int64_t gateway_day_most;      /* the same for a gateway, which uploads for its people */
	int64_t partials_most;         /* unfinished uploads of one person */
	int64_t total_most;            /* bytes of all files and unfinished uploads */
	int64_t free_least;            /* bytes that stay free on the disk */
	int64_t partial_keep_ms;       /* an unfinished upload that nobody goes on with */
	int64_t unnamed_keep_ms;       /* a file that no case has named; longer than partial_keep_ms */
};

#define EVIDENCE_PARTIALS_MOST 8192 /* unfinished uploads of everybody */
#define EVIDENCE_SLICE (1 << 20)    /* bytes looked at in one go when a whole file is checked */
#define EVIDENCE_RETRY_MS 5000

struct evidence;

/* Makes the folders when they are missing and counts what is there: used is the size of the complete files, as the
 * database has it. NULL with *cause (heap). limits are copied. */
struct evidence *evidence_open(const char *folder, const struct evidence_limits *limits, int64_t used,
                               char **cause) MUST_USE;
void evidence_close(struct evidence *e); /* NULL is fine */

/* One upload of one person. */
struct evidence_upload {
	const char *person;
	_Bool gateway;
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	int64_t size; /* of the whole; evidence_put finds it out */
	int64_t have; /* bytes that are here */
};

/* Begins it or finds it again. today: bytes the person has completed today. false with *why. */
_Bool evidence_begin(struct evidence *e, struct evidence_upload *u, enum evidence_kind kind, int64_t today,
                     struct refusal *why) MUST_USE;
/* Adds bytes at offset. What is there already is passed over; a gap is refused. false with *why. */
_Bool evidence_put(struct evidence *e, struct evidence_upload *u, int64_t offset, const uint8_t *bytes, size_t length,
                   struct refusal *why) MUST_USE;

/* The proof of an upload of which every byte is here, slice by slice: its digest, its type, then into its place, synced.
 * An upload that fails it is removed. */
struct evidence_proof;
enum proof_result { PROOF_GOES_ON, PROOF_HOLDS, PROOF_FAILS };
struct evidence_proof *evidence_proof_new(struct evidence *e, const struct evidence_upload *u) MUST_USE;
void evidence_proof_free(struct evidence_proof *p); /* NULL is fine */
/* What the proof found out about a file. */
struct evidence_found {
	const char *type; /* static */
	uint8_t look[EVIDENCE_LOOK_SIZE];
};
/* PROOF_HOLDS fills *found. PROOF_FAILS fills *why. */
enum proof_result evidence_proof_go_on(struct evidence_proof *p, struct evidence_found *found,
                                       struct refusal *why) MUST_USE;

/* The upload is in the database too: its partial goes. Also gives up an upload. */
void evidence_drop_partial(struct evidence *e, const char *person, const uint8_t sha256[EVIDENCE_DIGEST_SIZE]);

/* One small step of an endless round: expired partials, then one of 256 folders, in which old files go that is_known
 * denies. wall_ms is the system's time, which files carry. */
void evidence_sweep(struct evidence *e, int64_t wall_ms,
                    _Bool (*is_known)(void *ctx, const uint8_t sha256[EVIDENCE_DIGEST_SIZE]), void *ctx);

/* Any thread: at most length bytes from offset of a complete file; -1: it cannot be read. */
int64_t evidence_read(const char *folder, const uint8_t sha256[EVIDENCE_DIGEST_SIZE], int64_t offset, uint8_t *bytes,
                      size_t length);

/* What the first bytes say it is, "image/jpeg"; NULL: none of those that are taken. Names of files are never asked. */
#define EVIDENCE_HEAD 32 /* bytes that are enough to tell */
const char *evidence_type(const uint8_t *head, size_t length, enum evidence_kind *kind);

#endif
