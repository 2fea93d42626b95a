/* uploads: evidence in chunks over a session's connection. The bytes go to the thread of the evidence folder; a file that
 * is whole becomes a row through the writer before its sender is told. */
#ifndef INTAKE_UPLOADS_H
#define INTAKE_UPLOADS_H

#include "intake/session.h"

/* Each sends the work off and returns true, or fills *why. */
_Bool upload_begin(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool upload_chunk(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool query_get_evidence(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);

/* Bytes of one chunk that a frame has room for. */
int64_t upload_chunk_most(int64_t frame_most);

#endif
