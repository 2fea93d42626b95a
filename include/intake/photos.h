/* photos: what a report or an action shows: evidence uploaded here, with what each piece shows, and references to
 * elsewhere. A reference of the form "sha256:<64 hex digits>" is evidence too, of no role. */
#ifndef INTAKE_PHOTOS_H
#define INTAKE_PHOTOS_H

#include "base/refusal.h"
#include "gridloop.pb-c.h"
#include "workflow/command.h"

struct photos {
	const ProtobufCBinaryData *references;
	size_t reference_count;
	Gridloop__V1__Evidence *const *evidence;
	size_t evidence_count;
};

/* Checks all of them and adds the room that photos_copy needs in the command's block. */
_Bool photos_check(const struct photos *p, size_t *room, struct refusal *why) MUST_USE;
_Bool photos_check_snapshot(const ProtobufCBinaryData *snapshot, size_t *room, struct refusal *why) MUST_USE;
void photos_copy(const struct photos *p, struct command *c);

#endif
