/* case_view: a whole case as a message: its row, evidence and history, as far as its reader is shown them and a frame holds
 * them. */
#ifndef INTAKE_CASE_VIEW_H
#define INTAKE_CASE_VIEW_H

#include "intake/reveal.h"

/* Reads the case's evidence and makes the view of at most `room` bytes: the newest of the history that fit. false: refused. */
_Bool case_view_make(struct question *q, struct reader *r, struct case_answer *answer, enum reveal how, size_t room,
                     Gridloop__V1__CaseView *out) MUST_USE;

#endif
