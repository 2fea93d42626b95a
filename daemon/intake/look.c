#include "intake/look.h"

#include <string.h>

static void answer(void *door, struct command *c)
{
	struct session *s = door;
	struct question *q = c->origin.extra;

	/* The question counts as under way by itself, so the session stays until its reply. */
	question_resume(q, c->outcome.accepted ? NULL : &c->outcome.refusal);
	command_free(c);
	session_returned(s);
}

static const char *copy(struct command *c, const char *text)
{
	return text ? command_text(c, text, strlen(text)) : NULL;
}

_Bool look_send(struct question *q, const struct look *look, struct refusal *why)
{
	struct session *s = q->session;
	size_t subject = look->subject ? strlen(look->subject) + 1 : 0;
	size_t purpose = look->purpose ? strlen(look->purpose) + 1 : 0;

	if (look->what == AUDITED_NONE)
		return question_send(q, why);
	struct command *c = command_new(COMMAND_AUDIT, subject + purpose + strlen(s->person->id) + 1);

	c->actor = copy(c, s->person->id);
	c->channel = "tcp";
	c->value = look->what;
	c->person = copy(c, look->subject);
	c->reason = copy(c, look->purpose);
	c->origin.extra = q;
	session_submit(s, c, q->seq, answer);
	return 1;
}
