/* domain: the tables of names. */
#include "workflow/domain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

static const struct state_info states[STATE_COUNT] = {
    [STATE_NONE] = {"NONE", "", "", STAGE_DISCOVER, 0},
    [STATE_REPORTED] = {"REPORTED", "上报", "discover", STAGE_DISCOVER, 0},
    [STATE_ALARM_PENDING] = {"ALARM_PENDING", "告警待确认", "discover", STAGE_DISCOVER, 0},
    [STATE_VERIFYING] = {"VERIFYING", "核实中", "discover", STAGE_PAUSED, 0},
    [STATE_FILED] = {"FILED", "已立案", "handle", STAGE_DISCOVER, 0},
    [STATE_DISPATCHED] = {"DISPATCHED", "已派遣", "handle", STAGE_HANDLE, 0},
    [STATE_HANDLING] = {"HANDLING", "处置中", "handle", STAGE_HANDLE, 0},
    [STATE_SUSPENDED] = {"SUSPENDED", "挂账", "handle", STAGE_PAUSED, 0},
    [STATE_RETURNED] = {"RETURNED", "回退", "handle", STAGE_PAUSED, 0},
    [STATE_WHISTLED] = {"WHISTLED", "吹哨待应", "handle", STAGE_HANDLE, 0},
    [STATE_HANDLED] = {"HANDLED", "已处置", "feedback", STAGE_FEEDBACK, 0},
    [STATE_CHECKING] = {"CHECKING", "核查中", "feedback", STAGE_FEEDBACK, 0},
    [STATE_CLOSED] = {"CLOSED", "结案", "feedback", STAGE_FEEDBACK, 0},
    [STATE_REVIEWED] = {"REVIEWED", "已回访", "reward", STAGE_FEEDBACK, 0},
    [STATE_REWARDED] = {"REWARDED", "已激励", "reward", STAGE_FEEDBACK, 1},
    [STATE_REJECTED] = {"REJECTED", "不予立案", "ended", STAGE_DISCOVER, 1},
    [STATE_MERGED] = {"MERGED", "并案", "ended", STAGE_DISCOVER, 1},
    [STATE_CANCELLED] = {"CANCELLED", "作废", "ended", STAGE_DISCOVER, 1},
};

static const struct act_info acts[ACT_COUNT] = {
    [ACT_NONE] = {"none", ""},
    [ACT_SUBMIT] = {"submit", "上报"},
    [ACT_ALARM] = {"alarm", "告警"},
    [ACT_ALARM_AGAIN] = {"alarm-again", "重复告警"},
    [ACT_CONFIRM] = {"confirm", "确认"},
    [ACT_DISMISS] = {"dismiss", "误报"},
    [ACT_EXPIRE] = {"expire", "告警过期"},
    [ACT_VERIFY] = {"verify", "核实"},
    [ACT_VERIFIED] = {"verified", "核实结果"},
    [ACT_FILE] = {"file", "立案"},
    [ACT_REJECT] = {"reject", "不予立案"},
    [ACT_MERGE] = {"merge", "并案"},
    [ACT_WITHDRAW] = {"withdraw", "撤回"},
    [ACT_DISPATCH] = {"dispatch", "派遣"},
    [ACT_SIGN] = {"sign", "签收"},
    [ACT_RETURN] = {"return", "回退"},
    [ACT_TAKE_BACK] = {"take-back", "收回"},
    [ACT_ASK_EXTENSION] = {"ask-extension", "申请延期"},
    [ACT_EXTEND] = {"extend", "准予延期"},
    [ACT_REFUSE_EXTENSION] = {"refuse-extension", "不准延期"},
    [ACT_ASK_SUSPENSION] = {"ask-suspension", "申请挂账"},
    [ACT_SUSPEND] = {"suspend", "挂账"},
    [ACT_REFUSE_SUSPENSION] = {"refuse-suspension", "不准挂账"},
    [ACT_RESUME] = {"resume", "恢复"},
    [ACT_WHISTLE] = {"whistle", "吹哨"},
    [ACT_ANSWER] = {"answer", "应哨"},
    [ACT_WHISTLE_LAPSE] = {"whistle-lapse", "逾期未应哨"},
    [ACT_HANDLED] = {"handled", "处置完成"},
    [ACT_CO_HANDLED] = {"co-handled", "协办完成"},
    [ACT_CHECK] = {"check", "核查"},
    [ACT_PASS] = {"pass", "核查通过"},
    [ACT_REWORK] = {"rework", "返工"},
    [ACT_REVIEW] = {"review", "评价"},
    [ACT_REOPEN] = {"reopen", "重办"},
    [ACT_REWARD] = {"reward", "激励"},
    [ACT_SUPERVISE] = {"supervise", "督办"},
    [ACT_REPLY] = {"reply", "督办回复"},
    [ACT_ESCALATE] = {"escalate", "升级"},
    [ACT_FOLLOW] = {"follow", "并入"},
};

static const char *const kinds[REPORTER_KIND_COUNT] = {
    "unset",      "resident",   "grid-worker", "part-time-worker", "courier", "food-rider", "ride-hail",
    "property",   "contractor", "volunteer",   "hotline",          "camera",  "meeting",
};

static const char *const roles[ROLE_BITS] = {
    "reporter", "acceptor", "dispatcher", "worker",  "handler", "supervisor",
    "visitor",  "convener", "station",    "gateway", "cameras", "operator",
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

const char *role_name(enum role one_bit)
{
	for (int i = 0; i < ROLE_BITS; i++)
		if (one_bit == (enum role)(1u << i))
			return roles[i];
	return "none";
}

uint32_t role_from_name(const char *name)
{
	for (int i = 0; i < ROLE_BITS; i++)
		if (strcmp(roles[i], name) == 0)
			return 1u << i;
	return 0;
}

const char *rating_name(enum rating r)
{
	static const char *const names[] = {"none", "satisfied", "fairly", "unsatisfied", "unanswered"};
	must(r >= 0 && r <= RATING_UNANSWERED);
	return names[r];
}

const char *level_name(enum level l)
{
	static const char *const names[] = {"grid", "community", "street", "district"};
	must(l >= 0 && l <= LEVEL_DISTRICT);
	return names[l];
}

int32_t category_from_text(const char *text)
{
	if ((text[0] != 'E' && text[0] != 'C') || strlen(text) != 5)
		return 0;
	int32_t digits = 0;
	for (int i = 1; i < 5; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		digits = digits * 10 + (text[i] - '0');
	}
	return digits == 0 ? 0 : (text[0] == 'E' ? 10000 : 20000) + digits;
}

void category_text(int32_t category, char out[CATEGORY_TEXT_SIZE])
{
	if (category < 10000 || category > 29999)
		category = 10000;
	unsigned digits = (unsigned)category % 10000;
	out[0] = category >= 20000 ? 'C' : 'E';
	for (int i = 4; i >= 1; i--, digits /= 10)
		out[i] = (char)('0' + digits % 10);
	out[5] = '\0';
}

/* ---- case ids ---- */

#define DAY_2000 10957 /* 2000-01-01 as days since 1970 */
#define SEQUENCE_BITS 26
#define DAY_BITS 20

int64_t case_id_make(int shard, int32_t day_since_1970, int32_t sequence)
{
	int64_t day = day_since_1970 > DAY_2000 ? day_since_1970 - DAY_2000 : 0;
	must(sequence >= 0 && sequence <= CASE_SEQUENCE_MOST && day < (1 << DAY_BITS));
	return ((int64_t)shard << (DAY_BITS + SEQUENCE_BITS)) | (day << SEQUENCE_BITS) | sequence;
}

int32_t case_id_day(int64_t id)
{
	return (int32_t)((id >> SEQUENCE_BITS) & ((1 << DAY_BITS) - 1)) + DAY_2000;
}

int32_t case_id_sequence(int64_t id)
{
	return (int32_t)(id & CASE_SEQUENCE_MOST);
}

static int case_id_shard(int64_t id)
{
	return (int)(id >> (DAY_BITS + SEQUENCE_BITS));
}

void case_number_text(int64_t id, int32_t category, char out[CASE_NUMBER_SIZE])
{
	char code[CATEGORY_TEXT_SIZE];
	category_text(category, code);
	int ymd = clock_day_to_ymd(case_id_day(id));
	if (case_id_shard(id) != 0)
		snprintf(out, CASE_NUMBER_SIZE, "%s%08d%d-%05d", code, ymd, case_id_shard(id), case_id_sequence(id));
	else
		snprintf(out, CASE_NUMBER_SIZE, "%s%08d%05d", code, ymd, case_id_sequence(id));
}

/* Digits of at most `most` places; moves *at past them. -1: none, or too many. */
static int64_t digits_at(const char **at, int most)
{
	int64_t value = 0;
	int n = 0;
	for (; **at >= '0' && **at <= '9'; (*at)++, n++)
		value = n < most ? value * 10 + (**at - '0') : value;
	return n == 0 || n > most ? -1 : value;
}

int64_t case_number_id(const char *number)
{
	char head[14] = {0};
	if (strlen(number) < 18 || strlen(number) >= CASE_NUMBER_SIZE)
		return 0;
	memcpy(head, number, 5);
	if (category_from_text(head) == 0)
		return 0;
	memcpy(head, number + 5, 8);
	head[8] = '\0';
	const char *at = head;
	int64_t ymd = digits_at(&at, 8);
	int32_t day = ymd > 0 && *at == '\0' ? clock_ymd_to_day((int32_t)ymd) : -1;
	at = number + 13;
	int64_t shard = 0, sequence = digits_at(&at, 8);
	if (*at == '-') {
		shard = sequence;
		at++;
		sequence = digits_at(&at, 8);
	}
	if (day < DAY_2000 || *at != '\0' || shard < 0 || shard > 1023 || sequence < 0 || sequence > CASE_SEQUENCE_MOST)
		return 0;
	return case_id_make((int)shard, day, (int32_t)sequence);
}

/* ---- places ---- */

#define DEGREE_METRES 111195.0 /* of latitude, mean earth radius 6,371.0 km */
#define RADIAN (M_PI / 180.0)

double place_metres(int32_t lat1_e7, int32_t lon1_e7, int32_t lat2_e7, int32_t lon2_e7)
{
	double mid = ((double)lat1_e7 + lat2_e7) / 2e7 * RADIAN;
	double north = ((double)lat1_e7 - lat2_e7) / 1e7 * DEGREE_METRES;
	double east = ((double)lon1_e7 - lon2_e7) / 1e7 * DEGREE_METRES * cos(mid);
	return sqrt(north * north + east * east);
}

/* The published GCJ-02 offset: Krasovsky 1940 ellipsoid and a fixed sum of sines. */
#define KRASOVSKY_A 6378245.0
#define KRASOVSKY_E2 0.00669342162296594323

static double gcj_wave(double x)
{
	return (20.0 * sin(6.0 * x * M_PI) + 20.0 * sin(2.0 * x * M_PI)) * 2.0 / 3.0;
}

static double gcj_north(double x, double y)
{
	double d = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x)) + gcj_wave(x);
	d += (20.0 * sin(y * M_PI) + 40.0 * sin(y / 3.0 * M_PI)) * 2.0 / 3.0;
	return d + (160.0 * sin(y / 12.0 * M_PI) + 320.0 * sin(y * M_PI / 30.0)) * 2.0 / 3.0;
}

static double gcj_east(double x, double y)
{
	double d = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x)) + gcj_wave(x);
	d += (20.0 * sin(x * M_PI) + 40.0 * sin(x / 3.0 * M_PI)) * 2.0 / 3.0;
	return d + (150.0 * sin(x / 12.0 * M_PI) + 300.0 * sin(x / 30.0 * M_PI)) * 2.0 / 3.0;
}

static void gcj_offset(double lat, double lon, double *dlat, double *dlon)
{
	double s = sin(lat * RADIAN);
	double magic = 1.0 - KRASOVSKY_E2 * s * s;
	double root = sqrt(magic);
	*dlat = gcj_north(lon - 105.0, lat - 35.0) * 180.0 / (KRASOVSKY_A * (1.0 - KRASOVSKY_E2) / (magic * root) * M_PI);
	*dlon = gcj_east(lon - 105.0, lat - 35.0) * 180.0 / (KRASOVSKY_A / root * cos(lat * RADIAN) * M_PI);
}

void place_gcj02_to_wgs84(double *lat, double *lon)
{
	if (*lat < 0.8293 || *lat > 55.8271 || *lon < 72.004 || *lon > 137.8347)
		return;
	double wlat = *lat, wlon = *lon;
	for (int i = 0; i < 8; i++) {
		double dlat, dlon;
		gcj_offset(wlat, wlon, &dlat, &dlon);
		wlat = *lat - dlat;
		wlon = *lon - dlon;
	}
	*lat = wlat;
	*lon = wlon;
}
