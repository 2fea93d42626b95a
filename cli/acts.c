/* acts: everything a client may ask to happen to a case, as one table. Who may do it, from which state and under which
 * guard is the daemon's table (docs/workflow.md), not ours: a refusal names its rule. */
#include "acts.h"
#include "upload.h"

const struct option_row act_options[] = {
	[TAKES_REASON] = { "--reason", OPTION_TEXT, "CODE",
	                   "why: a code from the list for this act (a wrong one shows the list)", 0, 0 },
	[TAKES_TEXT] = { "--text", OPTION_TEXT, "TEXT", "in words; may also stand behind the case number", 0, 0 },
	[TAKES_UNIT] = { "--unit", OPTION_TEXT, "UNIT", "the unit that handles it; without: whom the route names", 0,
	                 0 },
	[TAKES_WORKER] = { "--worker", OPTION_TEXT, "ID", "who goes and looks; without: the grid's own worker", 0, 0 },
	[TAKES_WITH] = { "--with", OPTION_TEXT, "UNIT", "a co-handling unit 协办, at most 4", 0, 1 },
	[TAKES_CALL] = { "--call", OPTION_TEXT, "UNIT", "a unit called together, at most 4", 0, 1 },
	[TAKES_CATEGORY] = { "--category", OPTION_TEXT, "CODE", "corrects the category", 0, 0 },
	[TAKES_GRID] = { "--grid", OPTION_TEXT, "CODE", "sets the grid, 15 digits", 0, 0 },
	[TAKES_INTO] = { "--into", OPTION_TEXT, "NUMBER", "the case it joins", 0, 0 },
	[TAKES_UNTIL] = { "--until", OPTION_TIME, "TIME", "when it resumes by itself", 0, 0 },
	[TAKES_BY] = { "--by", OPTION_LIMIT, "SPAN", "how much longer, such as 4wh or 2wd", 0, 0 },
	[TAKES_PHOTO] = { "--photo", OPTION_TEXT, PHOTO_VALUE, PHOTO_HELP, 0, 1 },
	[TAKES_AT] = { "--at", OPTION_PLACE, "LAT,LON", "the place; where you stand", 0, 0 },
	[TAKES_GCJ] = { "--gcj", OPTION_FLAG, NULL, "--at is GCJ-02, as Chinese phone maps give it", 0, 0 },
	[TAKES_FINDING] = { "--finding", OPTION_WORD, "exists|not-there|cannot-tell", "what was found", 0, 0 },
	[TAKES_RATING] = { "--rating", OPTION_WORD, "satisfied|fairly|unsatisfied", "how satisfied", 0, 0 },
	[TAKES_REPORTER] = { "--reporter", OPTION_TEXT, "ID", "gateways only: for which of its reporters", 0, 0 },
	[TAKES_KEY] = { "--key", OPTION_TEXT, "UUID", "send an earlier try again under its key", 0, 0 },
	[ACT_OPTION_COUNT] = { 0 },
};

#define T(option) (1u << TAKES_##option)

/* Every act takes the case number and a key; words behind the number are its --text where it has one. */
#define ACT(verb, chinese, where, number, takes_, needs_, args, line, shown, others)                                   \
	{                                                                                                              \
		.name = verb, .zh = chinese, .phase = PHASE_##where, .flags = VERB_SERVER | VERB_JSON,                 \
		.usage = "NUMBER" args, .summary = line, .example = shown, .related = others, .least_words = 1,        \
		.most_words = ((takes_) | (needs_)) & T(TEXT) ? -1 : 1, .run = act_run,                                \
		.act = GRIDLOOP__V1__ACT__ACT_##number, .takes = (takes_) | (needs_) | T(KEY), .needs = needs_         \
	}

/* clang-format off */
const struct verb act_verbs[] = {
	ACT("confirm", "确认", DISCOVER, CONFIRM, T(TEXT), 0, " [TEXT]",
	    "a camera's alarm is real: it becomes a report", "gridloop confirm E01922026112100042", "dismiss, case list"),
	ACT("dismiss", "误报", DISCOVER, DISMISS, T(TEXT), T(REASON), " --reason CODE [TEXT]",
	    "a camera's alarm is wrong: the case is cancelled", "gridloop dismiss E01922026112100042 --reason false-alarm", "confirm"),
	ACT("ask-verify", "核实", DISCOVER, VERIFY, T(WORKER) | T(TEXT), 0, " [--worker ID] [TEXT]",
	    "ask a grid worker to go and look before filing", "gridloop ask-verify E01102026112100042 --worker wang", "verified, file, reject"),
	ACT("verified", "核实结果", DISCOVER, VERIFIED, T(TEXT) | T(GCJ), T(FINDING) | T(AT) | T(PHOTO),
	    " --finding WORD --at LAT,LON --photo FILE[:ROLE]… [TEXT]",
	    "the worker says what was found, on the spot and with a photo",
	    "gridloop verified E01102026112100042 --finding exists --at 34.3412,108.9471 --photo here.jpg:near", "ask-verify, file, reject"),
	ACT("file", "立案", DISCOVER, FILE, T(CATEGORY) | T(GRID) | T(TEXT), 0, " [--category CODE] [--grid CODE]",
	    "accept a report: it becomes a case to handle", "gridloop file E01102026112100042 --grid 610404004001003", "reject, merge, dispatch"),
	ACT("locate", "定位", DISCOVER, LOCATE, T(AT) | T(GCJ) | T(GRID) | T(TEXT), 0, " --at LAT,LON | --grid CODE [TEXT]",
	    "say where a case is, when its report did not", "gridloop locate E01102026112100042 --at 34.3412,108.7471", "case list, file"),
	ACT("reject", "不予立案", DISCOVER, REJECT, T(TEXT), T(REASON), " --reason CODE [TEXT]",
	    "do not accept a report; the reporter is told why", "gridloop reject E01102026112100042 --reason not-ours", "file, merge"),
	ACT("merge", "并案", DISCOVER, MERGE, T(TEXT), T(INTO), " --into NUMBER",
	    "the same thing was reported before: join that case", "gridloop merge E01102026112100043 --into E01102026112100042", "file, case show"),
	ACT("withdraw", "撤回", DISCOVER, WITHDRAW, T(REPORTER) | T(TEXT), 0, " [TEXT]",
	    "take your own report back, before it is filed", "gridloop withdraw E01102026112100042", "report"),

	ACT("dispatch", "派遣", HANDLE, DISPATCH, T(UNIT) | T(WITH) | T(TEXT), 0, " [--unit UNIT] [--with UNIT]…",
	    "send a filed case to the unit that handles it", "gridloop dispatch E01102026112100042 --unit sanitation --with parks", "take-back, sign"),
	ACT("sign", "签收", HANDLE, SIGN, T(TEXT), 0, "",
	    "the handling unit takes the case on", "gridloop sign E01102026112100042", "handled, return"),
	ACT("return", "回退", HANDLE, RETURN, T(TEXT), T(REASON), " --reason CODE [TEXT]",
	    "the handling unit gives it back: not ours", "gridloop return E01102026112100042 --reason wrong-unit", "take-back, dispatch"),
	ACT("take-back", "收回", HANDLE, TAKE_BACK, T(TEXT), 0, "",
	    "a returned case waits for dispatch again", "gridloop take-back E01102026112100042", "return, dispatch"),
	ACT("ask-extension", "申请延期", HANDLE, ASK_EXTENSION, T(TEXT), T(BY), " --by SPAN [TEXT]",
	    "ask for more time, before it is late", "gridloop ask-extension E01132026112100007 --by 2wd \"asphalt comes Monday\"", "extend, refuse-extension"),
	ACT("extend", "准予延期", HANDLE, EXTEND, T(TEXT), 0, "",
	    "a supervisor grants the time asked for", "gridloop extend E01132026112100007", "ask-extension, refuse-extension"),
	ACT("refuse-extension", "不准延期", HANDLE, REFUSE_EXTENSION, T(TEXT), 0, " [TEXT]",
	    "a supervisor does not grant it", "gridloop refuse-extension E01132026112100007 \"two crews are free\"", "ask-extension, extend"),
	ACT("ask-suspension", "申请挂账", HANDLE, ASK_SUSPENSION, T(TEXT), T(REASON) | T(UNTIL), " --reason CODE --until TIME [TEXT]",
	    "ask to put it aside until a day, a year away at most",
	    "gridloop ask-suspension E01132026112100007 --reason weather --until \"2027-03-15 09:00\"", "suspend, resume"),
	ACT("suspend", "挂账", HANDLE, SUSPEND, T(TEXT), 0, "",
	    "a supervisor puts it aside as asked; it resumes by itself", "gridloop suspend E01132026112100007", "ask-suspension, resume"),
	ACT("refuse-suspension", "不准挂账", HANDLE, REFUSE_SUSPENSION, T(TEXT), 0, " [TEXT]",
	    "a supervisor does not put it aside", "gridloop refuse-suspension E01132026112100007", "ask-suspension, suspend"),
	ACT("resume", "恢复", HANDLE, RESUME, T(TEXT), 0, "",
	    "go on with a suspended case before its day", "gridloop resume E01132026112100007", "suspend"),
	ACT("whistle", "吹哨", HANDLE, WHISTLE, T(TEXT), T(CALL), " --call UNIT… [TEXT]",
	    "community or street calls units together; each must answer",
	    "gridloop whistle E04962026112100003 --call traffic --call fire \"fire lane blocked by three owners\"", "answer"),
	ACT("answer", "应哨", HANDLE, ANSWER, T(TEXT), 0, " [TEXT]",
	    "a called unit says it comes", "gridloop answer E04962026112100003 \"there at 15:00\"", "whistle"),
	ACT("handled", "处置完成", HANDLE, HANDLED, T(PHOTO), T(TEXT), " TEXT [--photo FILE[:ROLE]]…",
	    "the work is done; say how, with a photo where the category asks",
	    "gridloop handled E01102026112100042 \"bins emptied, ground washed\" --photo after.jpg:after", "co-handled, check"),
	ACT("co-handled", "协办完成", HANDLE, CO_HANDLED, T(TEXT) | T(PHOTO), 0, " [TEXT]",
	    "a co-handling unit says its part is done", "gridloop co-handled E01102026112100042", "dispatch, handled"),
	ACT("supervise", "督办", HANDLE, SUPERVISE, 0, T(TEXT), " TEXT",
	    "raise the level and ask for a reply; the state stays", "gridloop supervise E01102026112100042 \"why is nobody there?\"", "reply"),
	ACT("reply", "督办回复", HANDLE, REPLY, 0, T(TEXT), " TEXT",
	    "answer a supervisor", "gridloop reply E01102026112100042 \"the truck is on its way\"", "supervise"),

	ACT("exempt", "申诉豁免", HANDLE, EXEMPT, T(TEXT), T(REASON), " --reason CODE [TEXT]",
	    "a supervisor exempts a missed limit from blame; that it was missed stays", "gridloop exempt E01102026112100042 --reason weather", "supervise"),

	ACT("check", "核查", FEEDBACK, CHECK, T(TEXT), 0, "",
	    "take a handled case on to check it; never one you handled", "gridloop check E01102026112100042", "pass, rework"),
	ACT("pass", "核查通过", FEEDBACK, PASS, T(TEXT) | T(PHOTO), 0, " [TEXT]",
	    "the result is good: the case closes", "gridloop pass E01102026112100042", "check, rework, review"),
	ACT("rework", "返工", FEEDBACK, REWORK, T(TEXT) | T(PHOTO), T(REASON), " --reason CODE [TEXT]",
	    "the result is not good: back to the handler", "gridloop rework E01102026112100042 --reason not-done", "check, pass"),
	ACT("review", "评价", FEEDBACK, REVIEW, T(TEXT) | T(REPORTER), T(RATING), " --rating WORD [TEXT]",
	    "the reporter, or a visitor who asked, says how satisfied", "gridloop review E01102026112100042 --rating satisfied", "reopen"),
	ACT("reopen", "重办", FEEDBACK, REOPEN, T(TEXT) | T(REPORTER), 0, " [TEXT]",
	    "it is not solved after all, or came back within seven days", "gridloop reopen E01102026112100042 \"rubbish is back\"", "review"),
	ACT("reward", "激励", REWARD, REWARD, T(REASON) | T(TEXT), 0, " [--reason decline] [TEXT]",
	    "a supervisor decides points that are above the threshold or in doubt 存疑", "gridloop reward E05052026112100001", "points, case list"),
	{ 0 },
};
/* clang-format on */
