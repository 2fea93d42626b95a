/* look: a question that staff ask about others is recorded in the audit before it is asked. A question so sent goes to the
 * writer first, as a command whose only fact is the audit's row; when that row is on disk, and not before, a reader gets
 * the question. When it cannot be written, nothing is told. Who asks about what is its own is not recorded. */
#ifndef INTAKE_LOOK_H
#define INTAKE_LOOK_H

#include "intake/question.h"
#include "workflow/audit.h"

#define LOOK_ABOUT_MOST 2

struct look {
	enum audited what;             /* AUDITED_NONE: the question goes straight to a reader */
	const char *subject, *purpose; /* NULL: none; copied */
	/* Accounts that the subject names, "" or NULL: none. Of whom nothing is known (any more) is not named in the row, or
	 * whoever searches for a person that was erased would write the name anew. */
	const char *about[LOOK_ABOUT_MOST];
};

/* As question_send. */
_Bool look_send(struct question *q, const struct look *look, struct refusal *why) MUST_USE;

#endif
