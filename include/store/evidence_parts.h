/* evidence_parts: struct evidence as the files that make it up see it. Private to store/evidence*. */
#ifndef STORE_EVIDENCE_PARTS_H
#define STORE_EVIDENCE_PARTS_H

#include "store/evidence.h"

#define PARTIAL_ID_SIZE 48 /* 16 bytes of the person's digest, 32 of the file's */
#define PARTIAL_FOLDER "partial"
#define EVIDENCE_PATH_SIZE 80 /* "aa/bb/<64 hex>" */
#define PARTIAL_NAME_SIZE 128 /* "<32 hex>-<64 hex>-<size>" */
#define EVIDENCE_FOLDER_MODE 0750
#define EVIDENCE_FILE_MODE 0640

struct partial;

struct evidence {
	int folder, partials_fd; /* descriptors of the two folders */
	struct evidence_limits limits;
	struct digester *digester;
	struct partial *partials; /* by id; what lies in the partial folder */
	size_t partial_count;
	int64_t used;     /* bytes of complete files and of what is promised to unfinished ones */
	int64_t swept_ms; /* partials were looked through last */
	int sweep_at;     /* the next of 256 folders */
};

/* "aa/bb/<hex>" of a complete file. */
void evidence_path(const uint8_t sha256[EVIDENCE_DIGEST_SIZE], char out[EVIDENCE_PATH_SIZE]);

/* ---- evidence.c ---- */
struct partial *evidence_partial(struct evidence *e, const char *person, const uint8_t sha256[EVIDENCE_DIGEST_SIZE]);
/* The partial opened; -1 with errno. */
int evidence_open_partial(struct evidence *e, const struct partial *p, int flags);
void evidence_remove_partial(struct evidence *e, struct partial *p);
/* Refuses because of errno: a full disk may have room later, anything else is for the operator. */
_Bool evidence_refuse_errno(struct refusal *why, const char *what);
_Bool evidence_refuse_type(struct refusal *why);
/* Removes the partials that nobody has gone on with since. */
void evidence_expire_partials(struct evidence *e, int64_t before_ms);

#endif
