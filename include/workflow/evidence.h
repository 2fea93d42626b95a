/* evidence: photos and clips as the workflow knows them: by the SHA-256 of their bytes, and by what they show. The files
 * themselves are the store's (store/evidence.h). Only evidence uploaded here counts where a photo is asked for; a
 * platform's own reference proves nothing, for nobody here can look at it. */
#ifndef WORKFLOW_EVIDENCE_H
#define WORKFLOW_EVIDENCE_H

#include <stdint.h>

#include "base/must.h"

#define EVIDENCE_DIGEST_SIZE 32 /* bytes of a SHA-256 */
#define EVIDENCE_REF_SIZE 72    /* "sha256:" and 64 hex digits as text */
#define EVIDENCE_LOOK_SIZE 8    /* bytes of what a picture looks like (store/look.h); all 0: not known */
#define EVIDENCE_TYPE_MOST 32   /* bytes of "image/jpeg" */

/* What a photo shows. The numbers are the wire's and the database's. */
enum photo_role {
	PHOTO_UNSET = 0,
	PHOTO_NEAR = 1,   /* 近景 the thing itself */
	PHOTO_FAR = 2,    /* 远景 with its surroundings */
	PHOTO_BEFORE = 3, /* 处置前 */
	PHOTO_AFTER = 4,  /* 处置后 */
	PHOTO_ROLE_COUNT
};
const char *photo_role_name(enum photo_role r); /* "near"; "" when unset */
/* length bytes of text; PHOTO_UNSET when they name none. */
enum photo_role photo_role_from_name(const char *name, size_t length);

/* The roles that a case or an event has photos of are kept as bits. */
#define PHOTO_BIT(role) (UINT8_C(1) << (role))
#define PHOTO_NEAR_AND_FAR (PHOTO_BIT(PHOTO_NEAR) | PHOTO_BIT(PHOTO_FAR))
#define PHOTO_REPORTED (UINT8_C(1) << PHOTO_ROLE_COUNT) /* near and far came with the report itself */

/* One that a command names. Bytes only, so that a command's block of text can hold it. */
struct evidence_ref {
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	uint8_t role;  /* enum photo_role */
	_Bool is_here; /* complete, and uploaded by who names it: found out by the writer before the command is judged */
	uint8_t look[EVIDENCE_LOOK_SIZE]; /* found out with it */
};

/* Evidence that an event names; count 0: none. */
struct named_fact {
	const struct evidence_ref *refs; /* the command's */
	int count;
	int64_t case_id, event_id;
	const char *sender;
};

/* A file of evidence that is complete under its sender's name. */
struct file_fact {
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	const char *sender, *type; /* "image/jpeg" */
	int64_t size, at_ms;
	uint8_t look[EVIDENCE_LOOK_SIZE];
};

/* "sha256:<64 hex digits>" and back; false: it is not of that form. */
void evidence_text(const uint8_t sha256[EVIDENCE_DIGEST_SIZE], char out[EVIDENCE_REF_SIZE]);
_Bool evidence_from_text(const char *text, size_t length, uint8_t sha256[EVIDENCE_DIGEST_SIZE]) MUST_USE;

struct decision;
struct fact;

/* Guards and pieces for the phases. */
/* Everything that the command names is here. */
_Bool evidence_is_here(struct decision *d) MUST_USE;
/* The bits of what the command brings; of no role with "handled" means after. */
uint8_t evidence_brought(const struct decision *d);
/* The command's evidence becomes part of this event, its own. */
void evidence_name(struct decision *d, struct fact *f);
/* handled: a photo of after, and one of before, where the category asks. */
_Bool evidence_handled_guard(struct decision *d) MUST_USE;
/* file: a near and a far photo where the category asks; a camera has seen for itself. */
_Bool evidence_file_guard(struct decision *d, int32_t category) MUST_USE;
/* COMMAND_KEEP: a file is complete. */
_Bool evidence_keep(struct decision *d) MUST_USE;

#endif
