/* notices: who is owed which news. 件件有回应: the reporter of every case hears how it ends. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "workflow/decision.h"
#include "workflow/duty.h"

enum owed {
	OWED_REPORTER = 1 << 0, /* and those whose cases were merged into this one */
	OWED_HANDLER = 1 << 1,
	OWED_HELPERS = 1 << 2,
	OWED_WORKER = 1 << 3,
	OWED_WHISTLED = 1 << 4,
	OWED_ACCEPTORS = 1 << 5,
	OWED_DISPATCHERS = 1 << 6,
	OWED_SUPERVISORS = 1 << 7,
	OWED_WHO_IS_LATE = 1 << 8, /* whoever the present state waits for */
	OWED_DUTY = 1 << 9,        /* who has the duty at the level that the case has reached */
	OWED_UNIT = 1 << 10        /* the unit that the event is about */
};

static const struct {
	unsigned owed;
	const char *reporter, *staff;
} notices[ACT_COUNT] = {
	[ACT_ALARM] = { OWED_ACCEPTORS, NULL, "告警待确认 A camera saw something: confirm or dismiss it" },
	[ACT_DISMISS] = { OWED_REPORTER, "误报 Looked at and dismissed", NULL },
	[ACT_EXPIRE] = { OWED_REPORTER, "告警过期 Nobody confirmed this alarm in time", NULL },
	[ACT_VERIFY] = { OWED_WORKER, NULL, "核实 Please look at the place and say what you find" },
	[ACT_VERIFIED] = { OWED_ACCEPTORS, NULL, "核实结果 The grid worker has looked" },
	[ACT_FILE] = { OWED_REPORTER, "已立案 Your report is accepted", NULL },
	[ACT_REJECT] = { OWED_REPORTER, "不予立案 Your report was not accepted", NULL },
	[ACT_MERGE] = { OWED_REPORTER, "并案 This is already known; you will hear how it goes on", NULL },
	[ACT_WITHDRAW] = { OWED_REPORTER, "已撤回 Your report is withdrawn", NULL },
	[ACT_DISPATCH] = { OWED_REPORTER | OWED_HANDLER | OWED_HELPERS, "已派遣 Somebody is on the way",
	                   "已派遣 Please sign in and handle it" },
	[ACT_RETURN] = { OWED_DISPATCHERS, NULL, "回退 The handler returned this case" },
	[ACT_ASK_EXTENSION] = { OWED_SUPERVISORS, NULL, "申请延期 An extension is asked for" },
	[ACT_EXTEND] = { OWED_HANDLER, NULL, "准予延期 The extension is granted" },
	[ACT_REFUSE_EXTENSION] = { OWED_HANDLER, NULL, "不准延期 The extension is refused" },
	[ACT_ASK_SUSPENSION] = { OWED_SUPERVISORS, NULL, "申请挂账 A suspension is asked for" },
	[ACT_SUSPEND] = { OWED_REPORTER | OWED_HANDLER,
	                  "挂账 This takes longer and is on the list; it will not be forgotten",
	                  "挂账 The suspension is granted" },
	[ACT_REFUSE_SUSPENSION] = { OWED_HANDLER, NULL, "不准挂账 The suspension is refused" },
	[ACT_RESUME] = { OWED_REPORTER | OWED_HANDLER, "恢复 Work on this goes on", "恢复 The case is yours again" },
	[ACT_WHISTLE] = { OWED_WHISTLED, NULL, "吹哨 Your unit is called: please answer" },
	[ACT_WHISTLE_LAPSE] = { OWED_HANDLER | OWED_SUPERVISORS, NULL, "逾期未应哨 Not every called unit answered" },
	[ACT_PASS] = { OWED_REPORTER, "结案 Settled and checked. Are you satisfied?", NULL },
	[ACT_REWORK] = { OWED_HANDLER, NULL, "返工 The check found it not done" },
	[ACT_REVIEW] = { 0, NULL, NULL },
	[ACT_REOPEN] = { OWED_REPORTER | OWED_HANDLER | OWED_SUPERVISORS, "重办 Your matter is taken up again",
	                 "重办 The reporter was not satisfied, or it came back" },
	[ACT_REWARD] = { OWED_REPORTER, "已激励 Finished", NULL },
	[ACT_SUPERVISE] = { OWED_WHO_IS_LATE, NULL, "督办 This step is late or watched: act or reply" },
	[ACT_REGRID] = { OWED_DUTY, NULL, "改派网格 The map was re-cut: this case is in your grid now" },
	[ACT_VACATED] = { OWED_WHO_IS_LATE, NULL, "缺位收回 Who was to do this is no longer here: choose another" },
	[ACT_REROUTE] = { OWED_DISPATCHERS, NULL,
	                  "改派 What this was dispatched by has ended before anybody signed in" },
	[ACT_CO_LATE] = { OWED_UNIT | OWED_HANDLER | OWED_SUPERVISORS, NULL,
	                  "协办逾期 督办 A co-handling unit is past its own limit: act or reply" },
	[ACT_RETIME] = { OWED_HANDLER, NULL, "重计时限 An emergency began or ended: the deadline has moved" },
	[ACT_EXEMPT] = { OWED_HANDLER, NULL, "申诉豁免 The missed limit is exempted; that it was missed stays" },
	[ACT_ESCALATE] = { OWED_HANDLER | OWED_SUPERVISORS | OWED_DUTY, NULL,
	                   "升级 Past its limit: now at the next level" },
};

/* "template: words", cut at a character. */
static void compose(char *out, size_t size, const char *template, const char *words)
{
	char whole[COMMAND_TEXT_MOST + 200];
	snprintf(whole, sizeof whole, "%s%s%s", template, words == NULL ? "" : ": ", words == NULL ? "" : words);
	snprintf(out, size, "%.*s", (int)text_cut(whole, size - 1), whole);
}

void decision_owe(struct decision *d, const struct case_file *c, const struct fact *f, const char *to, const char *text)
{
	if (to == NULL)
		return;
	struct notice_fact *n = facts_notice(d->out);
	n->id = d->next_notice++;
	n->to = to;
	n->at_ms = f->at_ms;
	n->case_id = c->id;
	n->event_id = f->id;
	n->act = f->act;
	n->state = f->to;
	compose(n->text, sizeof n->text, text, f->text);
}

static void owe_reporters(struct decision *d, const struct case_file *c, const struct fact *f, const char *text)
{
	decision_owe(d, c, f, c->reporter, text);
	if (f->act == ACT_MERGE)
		return; /* those merged here before hear from the new master from now on */
	size_t count;
	const struct follower *rows = casebook_followers(d->book, c->id, &count);
	for (size_t i = 0; i < count; i++)
		decision_owe(d, c, f, rows[i].reporter, text);
}

static void owe_units(struct decision *d, const struct case_file *c, const struct fact *f, const char *const *units,
                      int count, const char *text)
{
	for (int i = 0; i < count; i++)
		decision_owe(d, c, f, units[i], text);
}

/* The worker asked, and who has the duty now when that is somebody else: the post may have changed hands since. */
static void owe_verifier(struct decision *d, const struct case_file *c, const struct fact *f, const char *text)
{
	const struct person *now = duty_worker(d, c);
	decision_owe(d, c, f, c->worker, text);
	if (now != NULL && (c->worker == NULL || strcmp(now->id, c->worker) != 0) &&
	    !duty_is_held_by(d, c, c->worker == NULL ? "" : c->worker))
		decision_owe(d, c, f, now->id, text);
}

/* The lead unit, and those beside it whose part is not done. */
static void owe_handlers(struct decision *d, const struct case_file *c, const struct fact *f, const char *text)
{
	decision_owe(d, c, f, c->handler, text);
	for (int i = 0; i < c->helper_count; i++)
		if ((c->helper_done >> i & 1) == 0)
			decision_owe(d, c, f, c->helpers[i], text);
}

/* Whom a state waits for. */
static void owe_late(struct decision *d, const struct case_file *c, const struct fact *f, const char *text)
{
	static const char *const roles[STATE_COUNT] = {
		[STATE_REPORTED] = "role:acceptor",   [STATE_ALARM_PENDING] = "role:acceptor",
		[STATE_FILED] = "role:dispatcher",    [STATE_RETURNED] = "role:dispatcher",
		[STATE_REVIEWED] = "role:supervisor", [STATE_CLOSED] = "role:visitor",
		[STATE_HANDLED] = "role:worker",      [STATE_CHECKING] = "role:worker",
	};
	const struct person *worker = duty_worker(d, c);
	if (c->state == STATE_VERIFYING)
		owe_verifier(d, c, f, text);
	else if ((c->state == STATE_HANDLED || c->state == STATE_CHECKING) && worker != NULL)
		decision_owe(d, c, f, worker->id, text);
	else if (roles[c->state] != NULL)
		decision_owe(d, c, f, roles[c->state], text);
	else
		owe_handlers(d, c, f, text);
}

void decision_notify(struct decision *d, const struct case_file *c, const struct fact *f)
{
	unsigned owed = notices[f->act].owed;
	const char *staff = notices[f->act].staff;
	if (owed == 0)
		return;
	if ((owed & OWED_REPORTER) != 0)
		owe_reporters(d, c, f, notices[f->act].reporter);
	if ((owed & OWED_HANDLER) != 0)
		decision_owe(d, c, f, c->handler, staff);
	if ((owed & OWED_HELPERS) != 0)
		owe_units(d, c, f, c->helpers, c->helper_count, staff);
	if ((owed & OWED_WORKER) != 0)
		decision_owe(d, c, f, c->worker, staff);
	if ((owed & OWED_WHISTLED) != 0)
		owe_units(d, c, f, c->whistled, c->whistled_count, staff);
	if ((owed & OWED_ACCEPTORS) != 0)
		decision_owe(d, c, f, "role:acceptor", staff);
	if ((owed & OWED_DISPATCHERS) != 0)
		decision_owe(d, c, f, "role:dispatcher", staff);
	if ((owed & OWED_SUPERVISORS) != 0)
		decision_owe(d, c, f, "role:supervisor", staff);
	if ((owed & OWED_WHO_IS_LATE) != 0)
		owe_late(d, c, f, staff);
	if ((owed & OWED_UNIT) != 0)
		decision_owe(d, c, f, f->ref, staff);
	if ((owed & OWED_DUTY) != 0)
		decision_owe(d, c, f, duty_at(d, c, (enum level)c->level), staff);
}
