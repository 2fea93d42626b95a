/* Each mistake a person can make in a jurisdiction's files is told once, with its file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "jurisdiction/policy.h"
#include "policy_folder.h"

struct mistake {
	const char *file, *from, *to;
	const char *problem;  /* what the one line says behind the folder; NULL: how it begins is not judged */
	const char *expected; /* what it contains besides */
};

#define ROW64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PHOTO_COLUMNS "category,name,zh,limit,points,sure,after_photo,merge_m,merge_hours,near_far,before_photo\n"
#define PHOTO_REST "E0125,W,,2d,5,no,no,0,0,no,no\nC0101,M,,90m,50,yes,yes,10,1,reward,yes\n"

static const struct mistake mistakes[] = {
	/* headers */
	{ "areas.csv", "code,name,parent", "code,name", "areas.csv:1: found no column \"parent\"", "code,name,parent" },
	{ "areas.csv", "code,name,parent", "code,name,parent,x", "areas.csv:1: found an unknown column \"x\"",
	  "expected" },
	{ "grids.csv", "grid,name,", "name,", "grids.csv:2: found no column \"grid\"", "expected grid,name,community" },
	{ "units.csv", NULL, "", "units.csv: cannot be read: the file is empty", "expected" },
	{ "units.csv", "unit,name", "unit,unit", "units.csv: cannot be read: column", "there twice" },
	/* areas */
	{ "areas.csv", "610404004002,South", "61040400400,South", "areas.csv:6: found code \"61040400400\"",
	  "12 digits" },
	{ "areas.csv", "610404004002,South", "61040400400x,South", "areas.csv:6: found code", "12 digits" },
	{ "areas.csv", "610404004002,South", "610404004001,South", "areas.csv:6: found the area \"610404004001\" again",
	  "as in line 5" },
	{ "areas.csv", "South,610404004000", "South,610404005000", "areas.csv:6: found parent 610404005000",
	  "this file" },
	{ "areas.csv", "South,610404004000", "South,610404004001", "areas.csv:6: found parent 610404004001",
	  "begins with" },
	{ "areas.csv", "South,610404004000", "South,610404004002", "areas.csv:6: found parent 610404004002",
	  "begins with" },
	{ "areas.csv", "South,610404004000", "South,", "areas.csv:6: found no parent", "only one area, the root" },
	{ "areas.csv", ",South,", ",,", "areas.csv:6: found name \"\"", "a name" },
	{ "areas.csv", ",South,", ",So\tuth,", "areas.csv:6: found name bytes that are no line of text", "a name" },
	{ "areas.csv", ",South,", ",\xc3\x28,", "areas.csv:6: found name bytes that are no line of text", "a name" },
	{ "areas.csv", ",South,610404004000", ",South,610404004000,x", "areas.csv:6: found a broken row", "4 fields" },
	/* grids */
	{ "grids.csv", "610404004001002,N2", "6104040040010020,N2", "grids.csv:4: found grid", "15 digits" },
	{ "grids.csv", "610404004001002,N2", "610404004001001,N2",
	  "grids.csv:4: found the grid \"610404004001001\" again", "line 3" },
	{ "grids.csv", "N2,610404004001", "N2,610404004002", "grids.csv:4: found community 610404004002",
	  "expected 610404004001, the grid's first 12 digits" },
	{ "grids.csv", "34.30,108.30,34.31,108.31", "34.31,108.30,34.30,108.31", "grids.csv:4: found a box whose south",
	  "south < north" },
	{ "grids.csv", "34.30,108.30,34.31,108.31", "34.30,108.31,34.31,108.30", "grids.csv:4: found a box whose west",
	  "west < east" },
	{ "grids.csv", "34.30,108.30,34.31", "108.30,34.30,34.31", "grids.csv:4: found south \"108.30\"", "latitude" },
	{ "grids.csv", "108.31\n", "180.5\n", "grids.csv:4: found east \"180.5\"", "longitude" },
	{ "grids.csv", "108.31\n", "east\n", "grids.csv:4: found east \"east\"", "longitude" },
	{ "grids.csv", NULL, "grid,name,community,south,west,north,east\n", NULL,
	  "found no rows; expected at least 1" },
	/* categories */
	{ "categories.csv", "E0110", "X0110", "categories.csv:2: found category \"X0110\"", "E0110 or C0102" },
	{ "categories.csv", "E0125", "E0100", "categories.csv:3: found category \"E0100\"", "E0110 or C0102" },
	{ "categories.csv", "C0101", "E0110", "categories.csv:4: found the category \"E0110\" again", "line 2" },
	{ "categories.csv", ",4h,", ",4x,", "categories.csv:2: found limit \"4x\"", "4wh (work hours)" },
	{ "categories.csv", ",4h,", ",0s,", "categories.csv:2: found limit \"0s\"", "from one minute" },
	{ "categories.csv", ",10,yes", ",10001,yes", "categories.csv:2: found points \"10001\"", "from 0 to 10000" },
	{ "categories.csv", ",10,yes", ",-1,yes", "categories.csv:2: found points \"-1\"", "from 0 to 10000" },
	{ "categories.csv", ",10,yes", ",10,maybe", "categories.csv:2: found sure \"maybe\"", "yes or no" },
	{ "categories.csv", "yes,30,24", "y,30,24", "categories.csv:2: found after_photo \"y\"", "yes or no" },
	{ "categories.csv", ",30,24", ",30,0", "categories.csv:2: found merge_m and merge_hours", "both or neither" },
	{ "categories.csv", ",30,24", ",9999,24", "categories.csv:2: found merge_m \"9999\"", "from 0 to 5000" },
	{ "categories.csv", ",30,24", ",30,", "categories.csv:2: found merge_hours \"\"", "from 0 to 8760" },
	{ "categories.csv", NULL, PHOTO_COLUMNS "E0110,R,,4h,10,yes,yes,0,0,always,no\n" PHOTO_REST,
	  "categories.csv:2: found near_far \"always\"", "one of no, reward, file" },
	{ "categories.csv", NULL, PHOTO_COLUMNS "E0110,R,,4h,10,yes,no,0,0,no,yes\n" PHOTO_REST,
	  "categories.csv:2: found before_photo without after_photo", "before alone shows no work" },
	/* units */
	{ "units.csv", "volunteer", "company", "units.csv:4: found kind \"company\"", "one of department, property" },
	{ "units.csv", "self-managed", "company", "units.csv:6: found kind \"company\"",
	  "one of department, property" },
	{ "units.csv", "610404004001001", "610404004001009", "units.csv:4: found area 610404004001009", "grids.csv" },
	{ "units.csv", "610404004001001", "610404", "units.csv:4: found area \"610404\"", "12 digits" },
	{ "units.csv", "river,", "the river,", "units.csv:4: found unit \"the river\"", "an id" },
	{ "units.csv", "sanitation,S", "street,S", "units.csv:3: found the unit \"street\" again", "line 2" },
	/* people */
	{ "people.csv", "grid-worker,reporter", "rider,reporter", "people.csv:2: found kind \"rider\"", "food-rider" },
	{ "people.csv", "grid-worker,reporter", ",reporter", "people.csv:2: found the role reporter without a kind",
	  "expected" },
	{ "people.csv", "reporter+worker", "reporter+walker", "people.csv:2: found roles \"reporter+walker\"",
	  "joined by +" },
	{ "people.csv", "reporter+worker", "worker+reporter+worker", "people.csv:2: found roles", "joined by +" },
	{ "people.csv", "reporter+worker", "worker+", "people.csv:2: found roles \"worker+\"", "joined by +" },
	{ "people.csv", "worker,610404004000", "worker,610404009000", "people.csv:3: found area 610404009000",
	  "areas.csv" },
	{ "people.csv", ",sanitation,", ",sanitasion,", "people.csv:4: found unit \"sanitasion\"", "units.csv" },
	{ "people.csv", ",sanitation,", ",,", "people.csv:4: found the role handler without a unit", "expected" },
	{ "people.csv", "2bb80d", "2BB80d", "people.csv:2: found token_sha256", "64 lower-case hex" },
	{ "people.csv", "2bb80d", "", "people.csv:2: found token_sha256", "64 lower-case hex" },
	{ "people.csv", "2bb80d", ROW64, "people.csv:2: found token_sha256", "64 lower-case hex" },
	{ "people.csv", "staff,S", "worker-02,S", "people.csv:4: found the person \"worker-02\" again", "line 3" },
	{ "people.csv", "sanitation,,no", "sanitation,,", "people.csv:4: found trusted \"\"", "yes or no" },
	{ "people.csv", "staff,S", "\"staff,S", "people.csv:4: found a broken row", "CSV" },
	/* routes */
	{ "routes.csv", "E0110", "E0199", "routes.csv:2: found category E0199", "categories.csv" },
	{ "routes.csv", "E01,", "E04,", "routes.csv:3: found category E04", "categories.csv" },
	{ "routes.csv", "E01,", "E1,", "routes.csv:3: found category \"E1\"", "a class such as E01, or *" },
	{ "routes.csv", "E01,610404004001", "E01,610404004003", "routes.csv:3: found area 610404004003", "areas.csv" },
	{ "routes.csv", "*,*", "*,", "routes.csv:4: found area \"\"", "or *" },
	{ "routes.csv", "*,*,street", "*,*,streets", "routes.csv:4: found unit \"streets\"", "units.csv" },
	{ "routes.csv", "2026-05-01", "2026-02-30", "routes.csv:3: found from \"2026-02-30\"", "yyyy-mm-dd" },
	{ "routes.csv", "2026-05-01", "1.5.2026", "routes.csv:3: found from \"1.5.2026\"", "yyyy-mm-dd" },
	{ "routes.csv", "2027-05-01", "2026-05-01", "routes.csv:3: found an end that is not after its beginning",
	  "from before to" },
	{ "routes.csv", "E01,610404004001,river,2026-05-01,2027-05-01", "E0110,610404004000,sanitation,,",
	  "routes.csv:3: found the route", "line 2" },
	/* the work calendar */
	{ "calendar.csv", "2026-10-01", "2026-10-32", "calendar.csv:2: found date \"2026-10-32\"", "yyyy-mm-dd" },
	{ "calendar.csv", "2026-10-10,workday", "2026-10-14,workday", "calendar.csv:3: found a workday on a Wednesday",
	  "day of rest" },
	{ "calendar.csv", "2026-10-10,workday", "2026-10-01,holiday", "calendar.csv:3: found the date", "line 2" },
	{ "calendar.csv", "workday", "half", "calendar.csv:3: found kind \"half\"", "holiday, workday" },
	{ "policy.conf", "accept = 20m", "work_days = mon-xyz", "policy.conf:1: work_days is \"mon-xyz\"", "mon-fri" },
	{ "policy.conf", "accept = 20m", "work_morning = 12:00-08:30", "policy.conf:1: work_morning is",
	  "08:30-12:00" },
	{ "policy.conf", "accept = 20m", "work_morning = 08:30-14:00",
	  "policy.conf: found work_afternoon beginning before work_morning ends", "in order and apart" },
	{ "policy.conf", "accept = 20m", "day_cutoff = 08:00", "policy.conf: found day_cutoff before work begins",
	  "a time after it" },
	{ "categories.csv", "4h", "4 wh", "categories.csv:2: found limit \"4 wh\"", "4wh (work hours)" },
	/* posts */
	{ "post_kinds.csv", "grid,worker,1,1,1", "town,worker,1,1,1", "post_kinds.csv:2: found per \"town\"",
	  "grid, community, street" },
	{ "post_kinds.csv", "grid,worker,1,1,1", "grid,worker,3,2,1", "post_kinds.csv:2: found least 3 above most 2",
	  "expected at most" },
	{ "post_kinds.csv", "handler,0,2,", "handler,0,2,0", "post_kinds.csv:4: found duty \"0\"", "1 to 100" },
	{ "posts.csv", "full-time,worker-01", "part-time,worker-01", "posts.csv:2: found post \"part-time\"",
	  "post_kinds.csv" },
	{ "posts.csv", "worker-02", "worker-09", "posts.csv:3: found person \"worker-09\"", "people.csv" },
	{ "posts.csv", "worker-02", "staff", "posts.csv:3: found person \"staff\" without the role",
	  "asks of a full-time" },
	{ "posts.csv", "worker-02", "worker-01",
	  "posts.csv:3: found person \"worker-01\" whose area is 610404004001001", "holds 610404004002001" },
	{ "posts.csv", "610404004002001", "610404004002009", "posts.csv:3: found area 610404004002009", "grids.csv" },
	{ "posts.csv", "610404004000,duty", "610404004001,duty", "posts.csv:6: found post \"duty\" in 610404004001",
	  "expected a street or a larger area" },
	{ "posts.csv", ",2026-06-01", "2027-01-01,2026-06-01",
	  "posts.csv:3: found an end that is not after its beginning", "from before to" },
	{ "posts.csv", "staff,2026-01-01,\n", "staff,2026-01-01,\n610404004001001,doctor,staff,2026-01-01,\n",
	  "posts.csv:5: found the holder of a post", "line 4" },
	{ "posts.csv", "610404004001001,doctor,staff,2026-01-01,\n",
	  "610404004001001,full-time,worker-02,2026-01-01,2026-02-01\n",
	  "posts.csv:4: found 2 holders of the post \"full-time\" in 610404004001001", "at most 1" },
	{ "posts.csv", "610404004001001,doctor,staff,2026-01-01,\n",
	  "610404004001,full-time,worker-02,2026-01-01,2026-02-01\n",
	  "posts.csv:2: found 2 holders of the post \"full-time\" in 610404004001001", "at most 1" },
	{ "routes.csv", "*,*,street", "*,*,estate", "routes.csv:4: found unit \"estate\" of kind property",
	  "its contract in contracts.csv" },
	{ "routes.csv", "*,*,street", "*,*,post:nurse", "routes.csv:4: found post \"nurse\"", "post_kinds.csv" },
	/* contracts */
	{ "contracts.csv", "estate,", "company,", "contracts.csv:2: found unit \"company\"", "units.csv" },
	{ "contracts.csv", "C0101", "E0199", "contracts.csv:2: found category E0199", "categories.csv" },
	{ "contracts.csv", "C0101", "C0101+X1", "contracts.csv:2: found categories \"C0101+X1\"", "joined by +" },
	{ "contracts.csv", "610404004001002", "610404004001009", "contracts.csv:2: found area 610404004001009",
	  "grids.csv" },
	{ "contracts.csv", "610404004001002", "the-pond", "contracts.csv:2: found area \"the-pond\"",
	  "an overlay of the map" },
	{ "contracts.csv", "2026-07-01", "2025-07-01", "contracts.csv:2: found an end that is not after its beginning",
	  "from before to" },
	{ "contracts.csv", "2026-07-01,,", "2026-07-01,estate,", "contracts.csv:2: found \"estate\" as its own",
	  "others" },
	{ "contracts.csv", "2026-07-01,,", "2026-07-01,street+street,",
	  "contracts.csv:2: found co-handling unit \"street\" twice", "once" },
	{ "contracts.csv", "2026-07-01,,", "2026-07-01,street=soon,", "contracts.csv:2: found co_units \"street=soon\"",
	  "such as police+water=4wh" },
	{ "contracts.csv", "2026-07-01,,", "2026-07-01,,8-18", "contracts.csv:2: found hours \"8-18\"",
	  "such as 18:00-08:00" },
	{ "contracts.csv", "c-2,homes", "c-1,homes", "contracts.csv:3: found the contract \"c-1\"", "line 2" },
	{ "contracts.csv", "c-2,homes", "c-2,river", "contracts.csv:3: found contract \"c-2\" of \"river\" for C0101",
	  "one unit for each" },
	/* cameras */
	{ "cameras.csv", "eyes", "ears", "cameras.csv:2: found gateway \"ears\"", "a person from people.csv" },
	{ "cameras.csv", "eyes", "staff", "cameras.csv:2: found gateway \"staff\" without the role cameras",
	  "that has" },
	{ "cameras.csv", "First,eyes", "First,", "cameras.csv:2: found gateway \"\"", "letters, digits" },
	{ "cameras.csv", "cam-2,S", "cam-1,S", "cameras.csv:3: found the camera \"cam-1\" again", "line 2" },
	{ "cameras.csv", "cam-2", "eyes", "cameras.csv:3: found camera \"eyes\", which is a gateway", "id of its own" },
	{ "cameras.csv", "610404004001001", "610404004001009", "cameras.csv:2: found grid 610404004001009",
	  "grids.csv, or nothing" },
	{ "cameras.csv", "610404004001001", "6104", "cameras.csv:2: found grid \"6104\"", "15 digits, or nothing" },
	{ "cameras.csv", "34.15,108.15", "108.15,34.15", "cameras.csv:2: found lat \"108.15\"", "latitude" },
	{ "cameras.csv", "34.15,108.15", ",108.15", "cameras.csv:2: found lat \"\"", "latitude" },
	{ "cameras.csv", "34.15,108.15", "34.305,108.305",
	  "cameras.csv:2: found camera \"cam-1\" at a place in grid 610404004001002", "its grid 610404004001001" },
	{ "cameras.csv", "34.15,108.15", "35,109",
	  "cameras.csv:2: found camera \"cam-1\" at a place outside every grid", "inside its grid" },
	{ "cameras.csv", "34.305,108.305", "35,109",
	  "cameras.csv:3: found camera \"cam-2\" at a place outside every grid", "inside a grid" },
	{ "cameras.csv", "108.305,\n", "108.305,aa:0B:cc/1\n", "cameras.csv:3: found device \"aa:0B:cc/1\" again",
	  "once for gateway eyes, as in line 2" },
	{ "camera_labels.csv", "cam-1,water", "*,rubbish bin",
	  "camera_labels.csv:4: found the camera and label \"*\" \"rubbish bin\" again", "line 2" },
	{ "camera_labels.csv", "cam-1,water", "cam-3,water", "camera_labels.csv:4: found camera \"cam-3\"",
	  "a camera or a gateway of cameras.csv, or *" },
	{ "camera_labels.csv", "cam-1,water", "staff,water", "camera_labels.csv:4: found camera \"staff\"", "or *" },
	{ "camera_labels.csv", "water,E0125", "water,E0126", "camera_labels.csv:4: found category E0126",
	  "categories.csv" },
	{ "camera_labels.csv", "water,E0125", "water,E01", "camera_labels.csv:4: found category \"E01\"", "E0110" },
	{ "camera_labels.csv", "0.75", "75", "camera_labels.csv:4: found confidence \"75\"", "0 to 1" },
	{ "camera_labels.csv", "30s,3", "soon,3", "camera_labels.csv:3: found dwell \"soon\"", "90s, 10m or 4h" },
	{ "camera_labels.csv", "30s,3", "2d,3", "camera_labels.csv:3: found dwell \"2d\"", "at most a day" },
	{ "camera_labels.csv", "30s,3", "30s,0", "camera_labels.csv:3: found repeat \"0\"", "from 1 to" },
	{ "camera_labels.csv", "3,2m", "3,59s", "camera_labels.csv:3: found gap \"59s\"", "from a minute" },
	{ "camera_labels.csv", NULL, "camera,label,category,confidence,dwell,repeat,gap\ncam-1,water,E0125,,,,\n",
	  "cameras.csv:3: found camera \"cam-2\" without a label", "camera_labels.csv for it, for eyes or for *" },
	/* reasons */
	{ "reasons.csv", "return,", "send-back,", NULL,
	  "found act \"send-back\"; expected one of reject, return, rework" },
	{ "reasons.csv", "reject,unclear", "reject,not-ours", "reasons.csv:3: found the act and code", "line 2" },
	{ "reasons.csv", "dismiss,false-alarm,Nothing there\n", "", "reasons.csv: found no reason for dismiss",
	  "expected" },
	/* rules */
	{ "policy.conf", "accept = 20m", "accept = soon", "policy.conf:1: accept is \"soon\"", "span of time" },
	{ "policy.conf", "accept = 20m", "except = 20m", "policy.conf:1: unknown key", "except" },
};

static void load_and_expect(const char *folder, const struct mistake *m)
{
	struct problems p = { 0 };
	struct policy *policy = policy_load(folder, &p);

	if (policy || p.count == 0)
		fail_msg("%s: \"%s\" for \"%s\" was taken", m->file, m->to, m->from ? m->from : "all");

	const char *line = p.lines[0];

	if (strncmp(line, folder, strlen(folder)) != 0)
		fail_msg("no folder in: %s", line);
	line += strlen(folder) + 1;
	/* A mistake with a line of its own must not drag others along. */
	if (m->problem && (p.count != 1 || strncmp(line, m->problem, strlen(m->problem)) != 0))
		fail_msg("expected one line \"%s\", found %zu, the first: %s", m->problem, p.count, line);
	if (!strstr(line, m->expected))
		fail_msg("expected \"%s\" in: %s", m->expected, line);
	problems_close(&p);
}

static void test_every_mistake_is_told_with_its_line(void **state)
{
	char folder[POLICY_FOLDER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		policy_folder_make(folder);
		policy_folder_change(folder, mistakes[i].file, mistakes[i].from, mistakes[i].to);
		load_and_expect(folder, &mistakes[i]);
		policy_folder_drop(folder);
	}
}

/* What is gone is told, and those who refer to it are not blamed. */
static void test_a_missing_file_is_one_problem(void **state)
{
	static const char *const files[] = { "areas.csv",   "grids.csv",  "categories.csv", "units.csv",
		                             "people.csv",  "routes.csv", "cameras.csv",    "camera_labels.csv",
		                             "reasons.csv", "policy.conf" };
	char folder[POLICY_FOLDER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct problems p = { 0 };

		policy_folder_make(folder);
		policy_folder_lose(folder, files[i]);
		assert_null(policy_load(folder, &p));
		assert_int_equal(p.count, 1);
		assert_non_null(strstr(p.lines[0], files[i]));
		assert_non_null(strstr(p.lines[0], "No such file"));
		problems_close(&p);
		policy_folder_drop(folder);
	}
}

static void test_a_camera_gateway_without_its_role_is_told_for_each_camera(void **state)
{
	char folder[POLICY_FOLDER_SIZE];
	struct problems p = { 0 };

	(void)state;
	policy_folder_make(folder);
	policy_folder_change(folder, "people.csv", "camera,cameras", "camera,gateway");
	assert_null(policy_load(folder, &p));
	assert_int_equal(p.count, 2);
	assert_non_null(strstr(p.lines[0], "cameras.csv:2: found gateway \"eyes\" without the role cameras"));
	assert_non_null(strstr(p.lines[1], "cameras.csv:3:"));
	problems_close(&p);
	policy_folder_drop(folder);
}

static void test_mistakes_in_several_files_are_all_told(void **state)
{
	char folder[POLICY_FOLDER_SIZE];
	struct problems p = { 0 };

	(void)state;
	policy_folder_make(folder);
	policy_folder_change(folder, "units.csv", "volunteer", "company");
	policy_folder_change(folder, "categories.csv", ",4h,", ",four,");
	policy_folder_change(folder, "policy.conf", "20m", "soon");
	assert_null(policy_load(folder, &p));
	/* The unit and the category are wrong in one cell only: routes and cameras that name them are not. */
	assert_int_equal(p.count, 3);
	problems_close(&p);
	policy_folder_drop(folder);
}

static void test_problems_of_before_do_not_spoil_a_sound_folder(void **state)
{
	char folder[POLICY_FOLDER_SIZE];
	struct problems p = { 0 };

	(void)state;
	problems_add(&p, "elsewhere", 1, "something");
	policy_folder_make(folder);

	struct policy *policy = policy_load(folder, &p);

	assert_non_null(policy);
	assert_int_equal(p.count, 1);
	policy_release(policy);
	problems_close(&p);
	policy_folder_drop(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mistake_is_told_with_its_line),
		cmocka_unit_test(test_a_missing_file_is_one_problem),
		cmocka_unit_test(test_a_camera_gateway_without_its_role_is_told_for_each_camera),
		cmocka_unit_test(test_mistakes_in_several_files_are_all_told),
		cmocka_unit_test(test_problems_of_before_do_not_spoil_a_sound_folder),
	};

	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
