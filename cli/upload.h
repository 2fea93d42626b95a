/* upload: a file to the daemon, in chunks, going on after a break where it was. */
#ifndef CLI_UPLOAD_H
#define CLI_UPLOAD_H

#include "verb.h"
#include "workflow/evidence.h"

/* Sends the file unless it is there under our name already. false: printed, call's exit in *exit_with. */
_Bool upload_file(struct call *call, const char *path, uint8_t sha256[EVIDENCE_DIGEST_SIZE],
                  enum exit_code *exit_with) MUST_USE;

/* ---- what --photo was given ---- */

#define PHOTO_VALUE "FILE[:near|far|before|after]"
#define PHOTO_HELP "a photo or clip to upload, with what it shows; or sha256:… of an upload, or a URL"
#define PHOTOS_GIVEN_MOST 8

/* The lists of a report or an action, which borrow from it. */
struct given_photos {
	wire_bytes references[PHOTOS_GIVEN_MOST];
	size_t reference_count;
	Gridloop__V1__Evidence evidence[PHOTOS_GIVEN_MOST], *list[PHOTOS_GIVEN_MOST];
	uint8_t digests[PHOTOS_GIVEN_MOST][EVIDENCE_DIGEST_SIZE];
	size_t evidence_count;
};
/* Takes every value of --photo and uploads the files among them. false: printed. */
_Bool photos_take(struct call *call, struct given_photos *out, enum exit_code *exit_with) MUST_USE;

#endif
