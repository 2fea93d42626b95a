#include "workflow/audit.h"

#include <string.h>

#include "workflow/case_number.h"
#include "workflow/decision.h"

static const struct {
	const char *name, *zh;
} words[AUDITED_COUNT] = {
	[AUDITED_NONE] = { "", "" },
	[AUDITED_LOOK_CASE] = { "look-case", "查看案件" },
	[AUDITED_LOOK_LIST] = { "look-list", "查询列表" },
	[AUDITED_LOOK_POINTS] = { "look-points", "查看积分" },
	[AUDITED_LOOK_EVIDENCE] = { "look-evidence", "查看照片" },
	[AUDITED_LOOK_AUDIT] = { "look-audit", "查看审计" },
	[AUDITED_UNMASK] = { "unmask", "查看明文" },
	[AUDITED_FOLLOW_EVENTS] = { "follow-events", "订阅事件" },
	[AUDITED_EXPORT] = { "export", "导出个人信息" },
	[AUDITED_ERASE] = { "erase", "删除个人信息" },
	[AUDITED_EXPIRE] = { "expire", "到期去标识" },
	[AUDITED_CREDENTIAL_MADE] = { "credential-made", "发放凭证" },
	[AUDITED_CREDENTIAL_ENDED] = { "credential-ended", "注销凭证" },
	[AUDITED_RELOAD] = { "reload", "更换规则" },
	[AUDITED_EMERGENCY] = { "emergency", "应急" },
	[AUDITED_CORRECT] = { "correct", "冲正" },
	[AUDITED_LOGIN] = { "login", "登录" },
	[AUDITED_LOGIN_REFUSED] = { "login-refused", "登录被拒" },
	[AUDITED_CUT] = { "cut", "审计到期" },
	[AUDITED_SESSION_ENDED] = { "session-ended", "会话终止" },
	[AUDITED_ACT] = { "act", "办理" },
};

const char *audited_name(enum audited what)
{
	return words[what].name;
}

const char *audited_zh(enum audited what)
{
	return words[what].zh;
}

enum audited audited_from_name(const char *name)
{
	for (int i = 1; i < AUDITED_COUNT; i++)
		if (strcmp(words[i].name, name) == 0)
			return (enum audited)i;
	return AUDITED_NONE;
}

/* What a resident does about itself is to leave no name behind once its data are erased: a subject can be, an actor cannot. */
static const char *actor_of(const struct decision *d, const char *subject)
{
	_Bool resident = d->who != NULL && (d->who->roles & ~(uint32_t)ROLE_REPORTER) == 0;
	return resident && subject != NULL && strcmp(subject, d->who->id) == 0 ? AUDIT_SELF : d->actor;
}

void audit_add(struct decision *d, enum audited what, const char *subject, const char *purpose, int64_t count)
{
	must(d->out->audit.what == AUDITED_NONE);
	d->out->audit = (struct audit_fact){ .at_ms = d->now_ms,
		                             .what = what,
		                             .who = actor_of(d, subject),
		                             .subject = subject,
		                             .purpose = purpose,
		                             .channel = d->command->channel,
		                             .count = count };
}

/* Its own event: the system may have had something to say first, as when a review raises a doubt. */
static const struct fact *event_of(const struct decision *d)
{
	const struct facts *f = d->out;
	for (size_t i = 0; i < f->event_count; i++)
		if (f->events[i].act == d->command->act)
			return &f->events[i];
	return &f->events[0];
}

void audit_act(struct decision *d)
{
	struct audit_fact *row = &d->out->audit;

	_Static_assert(sizeof row->digits >= CASE_NUMBER_SIZE, "a case's number");
	if (row->what != AUDITED_NONE || !roles_are_staff(d->who->roles) || d->out->event_count == 0)
		return;
	audit_add(d, AUDITED_ACT, NULL, act_info(d->command->act)->name, event_of(d)->id);
	case_number_text(d->draft->id, d->draft->category, row->digits);
	row->subject = row->digits;
}

_Bool audit_judge(struct decision *d)
{
	const struct command *c = d->command;
	audit_add(d, (enum audited)c->value, c->person, c->reason, 0);
	return 1;
}

_Bool audit_note(struct decision *d)
{
	const struct command *c = d->command;
	audit_add(d, (enum audited)c->value, c->person, NULL, c->posts);
	if (c->value == AUDITED_LOGIN)
		d->out->audit.who = AUDIT_SELF;
	else if (c->value == AUDITED_LOGIN_REFUSED)
		d->out->audit.who = AUDIT_SOMEBODY;
	return 1;
}
