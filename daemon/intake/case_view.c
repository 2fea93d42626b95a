#include "intake/case_view.h"

#include "intake/view.h"
#include "workflow/case_number.h"

static void list_merged(struct question *q, const struct case_answer *answer, Gridloop__V1__CaseView *view,
                        size_t *budget)
{
	size_t most = *budget / 2 / (CASE_NUMBER_SIZE + 4);
	size_t count = answer->merged_here_count < most ? answer->merged_here_count : most;

	view->merged_here = question_take(q, count * sizeof *view->merged_here);
	for (size_t i = 0; i < count; i++)
		view->merged_here[i] = view_number(q, answer->merged_here[i], answer->merged_here_categories[i]);
	view->n_merged_here = count;
	*budget -= count * (CASE_NUMBER_SIZE + 4);
}

/* The newest that fit. */
static void list_history(struct question *q, const struct case_answer *answer, Gridloop__V1__CaseView *view,
                         size_t budget)
{
	size_t count = answer->history_count, first = count;

	view->history = question_take(q, count * sizeof *view->history);
	while (first > 0) {
		Gridloop__V1__CaseEvent *event = question_take(q, sizeof *event);
		const ProtobufCMessage *message = &event->base;

		view_event(&answer->history[first - 1], event);
		if (question_fit(&message, 1, &budget) == 0)
			break;
		view->history[--first] = event;
	}
	view->history += first;
	view->n_history = count - first;
	view->history_cut = answer->history_cut || first > 0;
}

_Bool case_view_make(struct question *q, struct reader *r, struct case_answer *answer, enum reveal how, size_t room,
                     Gridloop__V1__CaseView *out)
{
	struct case_evidence *evidence;
	size_t count, used;

	if (!question_went_well(q, query_case_evidence(r, answer->row.file.id, &q->rows, &evidence, &count)))
		return 0;
	reveal_evidence(q, &answer->row.file, evidence, count, how);
	reveal_case(q, answer, how);
	view_case(q, answer, out);
	out->masked = how != REVEAL_ALL;
	view_evidence(q, &answer->row.file, evidence, count, out);
	used = gridloop__v1__case_view__get_packed_size(out);
	room = used < room ? room - used : 0;
	list_merged(q, answer, out, &room);
	list_history(q, answer, out, room);
	return 1;
}
