/* domain: the tables of names. */
#include "workflow/domain.h"

#include <string.h>
#include <strings.h>

static const struct state_info states[STATE_COUNT] = {
	[STATE_NONE] = { "NONE", "", RIGHTS_NO_CASE, STAGE_DISCOVER, 0 },
	[STATE_REPORTED] = { "REPORTED", "上报", RIGHTS_DISCOVER, STAGE_DISCOVER, 0 },
	[STATE_ALARM_PENDING] = { "ALARM_PENDING", "告警待确认", RIGHTS_DISCOVER, STAGE_DISCOVER, 0 },
	[STATE_VERIFYING] = { "VERIFYING", "核实中", RIGHTS_DISCOVER, STAGE_PAUSED, 0 },
	[STATE_FILED] = { "FILED", "已立案", RIGHTS_HANDLE, STAGE_DISCOVER, 0 },
	[STATE_DISPATCHED] = { "DISPATCHED", "已派遣", RIGHTS_HANDLE, STAGE_HANDLE, 0 },
	[STATE_HANDLING] = { "HANDLING", "处置中", RIGHTS_HANDLE, STAGE_HANDLE, 0 },
	[STATE_SUSPENDED] = { "SUSPENDED", "挂账", RIGHTS_HANDLE, STAGE_PAUSED, 0 },
	[STATE_RETURNED] = { "RETURNED", "回退", RIGHTS_HANDLE, STAGE_PAUSED, 0 },
	[STATE_WHISTLED] = { "WHISTLED", "吹哨待应", RIGHTS_HANDLE, STAGE_HANDLE, 0 },
	[STATE_HANDLED] = { "HANDLED", "已处置", RIGHTS_FEEDBACK, STAGE_FEEDBACK, 0 },
	[STATE_CHECKING] = { "CHECKING", "核查中", RIGHTS_FEEDBACK, STAGE_FEEDBACK, 0 },
	[STATE_CLOSED] = { "CLOSED", "结案", RIGHTS_FEEDBACK, STAGE_FEEDBACK, 0 },
	[STATE_REVIEWED] = { "REVIEWED", "已回访", RIGHTS_REWARD, STAGE_FEEDBACK, 0 },
	[STATE_REWARDED] = { "REWARDED", "已激励", RIGHTS_REWARD, STAGE_FEEDBACK, 1 },
	[STATE_REJECTED] = { "REJECTED", "不予立案", RIGHTS_ENDED, STAGE_DISCOVER, 1 },
	[STATE_MERGED] = { "MERGED", "并案", RIGHTS_ENDED, STAGE_DISCOVER, 1 },
	[STATE_CANCELLED] = { "CANCELLED", "作废", RIGHTS_ENDED, STAGE_DISCOVER, 1 },
};

static const struct act_info acts[ACT_COUNT] = {
	[ACT_NONE] = { "none", "" },
	[ACT_SUBMIT] = { "submit", "上报" },
	[ACT_ALARM] = { "alarm", "告警" },
	[ACT_ALARM_AGAIN] = { "alarm-again", "重复告警" },
	[ACT_CONFIRM] = { "confirm", "确认" },
	[ACT_DISMISS] = { "dismiss", "误报" },
	[ACT_EXPIRE] = { "expire", "告警过期" },
	[ACT_VERIFY] = { "verify", "核实" },
	[ACT_VERIFIED] = { "verified", "核实结果" },
	[ACT_FILE] = { "file", "立案" },
	[ACT_REJECT] = { "reject", "不予立案" },
	[ACT_MERGE] = { "merge", "并案" },
	[ACT_WITHDRAW] = { "withdraw", "撤回" },
	[ACT_DISPATCH] = { "dispatch", "派遣" },
	[ACT_SIGN] = { "sign", "签收" },
	[ACT_RETURN] = { "return", "回退" },
	[ACT_TAKE_BACK] = { "take-back", "收回" },
	[ACT_ASK_EXTENSION] = { "ask-extension", "申请延期" },
	[ACT_EXTEND] = { "extend", "准予延期" },
	[ACT_REFUSE_EXTENSION] = { "refuse-extension", "不准延期" },
	[ACT_ASK_SUSPENSION] = { "ask-suspension", "申请挂账" },
	[ACT_SUSPEND] = { "suspend", "挂账" },
	[ACT_REFUSE_SUSPENSION] = { "refuse-suspension", "不准挂账" },
	[ACT_RESUME] = { "resume", "恢复" },
	[ACT_WHISTLE] = { "whistle", "吹哨" },
	[ACT_ANSWER] = { "answer", "应哨" },
	[ACT_WHISTLE_LAPSE] = { "whistle-lapse", "逾期未应哨" },
	[ACT_HANDLED] = { "handled", "处置完成" },
	[ACT_CO_HANDLED] = { "co-handled", "协办完成" },
	[ACT_CHECK] = { "check", "核查" },
	[ACT_PASS] = { "pass", "核查通过" },
	[ACT_REWORK] = { "rework", "返工" },
	[ACT_REVIEW] = { "review", "评价" },
	[ACT_REOPEN] = { "reopen", "重办" },
	[ACT_REWARD] = { "reward", "激励" },
	[ACT_SUPERVISE] = { "supervise", "督办" },
	[ACT_REPLY] = { "reply", "督办回复" },
	[ACT_ESCALATE] = { "escalate", "升级" },
	[ACT_FOLLOW] = { "follow", "并入" },
	[ACT_RETIME] = { "retime", "重计时限" },
	[ACT_EXEMPT] = { "exempt", "申诉豁免" },
	[ACT_VACATED] = { "vacated", "缺位收回" },
	[ACT_BASIS] = { "basis", "派遣依据" },
	[ACT_REROUTE] = { "reroute", "改派" },
	[ACT_CO_DISPATCH] = { "co-dispatch", "协办派遣" },
	[ACT_CO_LATE] = { "co-late", "协办逾期" },
	[ACT_LOCATE] = { "locate", "定位" },
	[ACT_REGRID] = { "regrid", "改派网格" },
	[ACT_DOUBT] = { "doubt", "存疑" },
};

static const char *const kinds[REPORTER_KIND_COUNT] = {
	"unset",    "resident",   "grid-worker", "part-time-worker", "courier", "food-rider", "ride-hail",
	"property", "contractor", "volunteer",   "hotline",          "camera",  "meeting",
};

const struct state_info *state_info(enum state s)
{
	must(s >= 0 && s < STATE_COUNT);
	return &states[s];
}

enum state state_from_name(const char *name)
{
	for (int s = 1; s < STATE_COUNT; s++)
		if (strcasecmp(states[s].name, name) == 0)
			return s;
	return STATE_NONE;
}

const struct act_info *act_info(enum act a)
{
	must(a >= 0 && a < ACT_COUNT);
	return &acts[a];
}

enum act act_from_name(const char *name)
{
	for (int a = 1; a < ACT_COUNT; a++)
		if (strcmp(acts[a].name, name) == 0)
			return a;
	return ACT_NONE;
}

const char *reporter_kind_name(enum reporter_kind k)
{
	must(k >= 0 && k < REPORTER_KIND_COUNT);
	return kinds[k];
}

enum reporter_kind reporter_kind_from_name(const char *name)
{
	for (int k = 1; k < REPORTER_KIND_COUNT; k++)
		if (strcmp(kinds[k], name) == 0)
			return k;
	return REPORTER_UNSET;
}

const char *rating_name(enum rating r)
{
	static const char *const names[] = { "none", "satisfied", "fairly", "unsatisfied", "unanswered" };
	must(r >= 0 && r <= RATING_UNANSWERED);
	return names[r];
}

const char *level_name(enum level l)
{
	static const char *const names[] = { "grid", "community", "street", "district" };
	must(l >= 0 && l <= LEVEL_DISTRICT);
	return names[l];
}
