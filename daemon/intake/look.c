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
	size_t purpose = look->purpose ? strlen(look->purpose) + 1 : 0, about = 0;

	if (look->what == AUDITED_NONE)
		return question_send(q, why);
	for (int i = 0; i < LOOK_ABOUT_MOST; i++)
		about += look->about[i] ? strlen(look->about[i]) + 1 : 0;
	struct command *c = command_new(COMMAND_AUDIT, subject + purpose + about + strlen(s->person->id) + 1);

	c->actor = copy(c, s->person->id);
	c->channel = "tcp";
	c->value = look->what;
	c->person = copy(c, look->subject);
	c->reason = copy(c, look->purpose);
	for (int i = 0; i < LOOK_ABOUT_MOST; i++)
		if (look->about[i] && look->about[i][0])
			c->units[c->unit_count++] = copy(c, look->about[i]);
	c->origin.extra = q;
	session_submit(s, c, q->seq, answer);
	return 1;
}
