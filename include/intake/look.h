/* look: a question that staff ask about others is recorded in the audit before it is asked. A question so sent goes to the
 * writer first, as a command whose only fact is the audit's row; when that row is on disk, and not before, a reader gets
 * the question. When it cannot be written, nothing is told. Who asks about what is its own is not recorded. */
#ifndef INTAKE_LOOK_H
#define INTAKE_LOOK_H

#include "intake/question.h"
#include "workflow/audit.h"

struct look {
	enum audited what;             /* AUDITED_NONE: the question goes straight to a reader */
	const char *subject, *purpose; /* NULL: none; copied */
};

/* As question_send. */
_Bool look_send(struct question *q, const struct look *look, struct refusal *why) MUST_USE;

#endif
