#include "policy_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/must.h"

struct sound_file {
	const char *name, *text;
};

#define DIGEST "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

static const struct sound_file sound_files[] = {
	{ "areas.csv", "code,name,parent\n"
	               "610000000000,Province,\n"
	               "610404000000,County,610000000000\n"
	               "610404004000,Street,610404000000\n"
	               "610404004001,North,610404004000\n"
	               "610404004002,South,610404004000\n" },
	{ "grids.csv", "# boxes: the second lies within the third\n"
	               "grid,name,community,south,west,north,east\n"
	               "610404004001001,N1,610404004001,34.10,108.10,34.20,108.20\n"
	               "610404004001002,N2,610404004001,34.30,108.30,34.31,108.31\n"
	               "610404004002001,S1,610404004002,34.25,108.25,34.40,108.40\n" },
	{ "categories.csv", "category,name,zh,limit,points,sure,after_photo,merge_m,merge_hours\n"
	                    "E0110,Rubbish,暴露生活垃圾,4h,10,yes,yes,30,24\n"
	                    "E0125,Dirty water,水域不洁,2d,5,no,no,0,0\n"
	                    "C0101,Manhole,,90m,50,yes,yes,10,1\n" },
	{ "units.csv", "unit,name,kind,area\n"
	               "street,Street office,street,610404004000\n"
	               "sanitation,Sanitation,department,\n"
	               "river,River,volunteer,610404004001001\n"
	               "estate,Estate,property,610404004001\n"
	               "homes,Homes,self-managed,\n" },
	{ "people.csv", "id,name,kind,roles,area,unit,token_sha256,trusted\n"
	                "worker-01,W1,grid-worker,reporter+worker,610404004001001,," DIGEST ",yes\n"
	                "worker-02,W2,grid-worker,worker,610404004000,,,yes\n"
	                "staff,S,,handler,,sanitation,,no\n"
	                "eyes,Cameras,camera,cameras,,,,no\n" },
	{ "routes.csv", "category,area,unit,from,to\n"
	                "E0110,610404004000,sanitation,,\n"
	                "E01,610404004001,river,2026-05-01,2027-05-01\n"
	                "*,*,street,,\n" },
	{ "cameras.csv", "camera,name,gateway,grid,lat,lon,device\n"
	                 "cam-1,First,eyes,610404004001001,34.15,108.15,AA:0b:cc/1\n"
	                 "cam-2,Second,eyes,,34.305,108.305,\n" },
	{ "camera_labels.csv", "camera,label,category,confidence,dwell,repeat,gap\n"
	                       "*,rubbish bin,E0110,0.5,,,\n"
	                       "eyes,smoke,E0125,,30s,3,2m\n"
	                       "cam-1,water,E0125,0.75,,,\n" },
	{ "reasons.csv", "act,code,text\n"
	                 "reject,not-ours,Not ours\n"
	                 "reject,unclear,Unclear\n"
	                 "return,wrong-unit,Wrong unit\n"
	                 "rework,not-done,Not done\n"
	                 "suspend,law,A question of law\n"
	                 "dismiss,false-alarm,Nothing there\n"
	                 "exempt,storm,A storm\n" },
	{ "post_kinds.csv", "post,zh,name,per,role,least,most,duty\n"
	                    "full-time,专职网格员,Full-time,grid,worker,1,1,1\n"
	                    "head,网格长,Head,grid,,0,,2\n"
	                    "doctor,网格医生,Doctor,grid,handler,0,2,\n"
	                    "duty,值班,Duty,street,,1,,1\n" },
	{ "posts.csv", "area,post,person,from,to\n"
	               "610404004001001,full-time,worker-01,,\n"
	               "610404004002001,full-time,worker-02,,2026-06-01\n"
	               "610404004001001,doctor,staff,2026-01-01,\n"
	               "610404004002,head,worker-02,,\n"
	               "610404004000,duty,staff,,\n" },
	{ "calendar.csv", "date,kind,name\n"
	                  "2026-10-01,holiday,National Day\n"
	                  "2026-10-10,workday,in its place\n"
	                  "2035-01-01,holiday,\n" },
	{ "contracts.csv", "contract,unit,categories,area,from,to,co_units,hours\n"
	                   "c-1,estate,C0101,610404004001002,2026-01-01,2026-07-01,,\n"
	                   "c-2,homes,C0101,610404004001002,,2026-09-01,,\n" },
	{ "rights.csv", "action,role,scope,phase\n" },
	{ "policy.conf", "accept = 20m\nreward_month_most = 200\nmap_may_overlap = yes\n" },
};
#define FILES (sizeof sound_files / sizeof sound_files[0])

static void path_of(const char *folder, const char *file, char *out, size_t size)
{
	must(snprintf(out, size, "%s/%s", folder, file) < (int)size);
}

static void write_file(const char *folder, const char *file, const char *text)
{
	char path[POLICY_FOLDER_SIZE + 64];

	path_of(folder, file, path, sizeof path);

	FILE *to = fopen(path, "we");

	must(to && fputs(text, to) >= 0);
	must(fclose(to) == 0);
}

static const struct sound_file *find_file(const char *name)
{
	for (size_t i = 0; i < FILES; i++)
		if (strcmp(sound_files[i].name, name) == 0)
			return &sound_files[i];
	must_not_happen(__FILE__, __LINE__, name);
}

void policy_folder_make(char folder[POLICY_FOLDER_SIZE])
{
	const char *where = getenv("TMPDIR");

	must(snprintf(folder, POLICY_FOLDER_SIZE, "%s/policyXXXXXX", where ? where : "/tmp") < POLICY_FOLDER_SIZE);
	must(mkdtemp(folder));
	for (size_t i = 0; i < FILES; i++)
		write_file(folder, sound_files[i].name, sound_files[i].text);
}

void policy_folder_change(const char *folder, const char *file, const char *from, const char *to)
{
	const char *text = find_file(file)->text;
	const char *spot = from ? strstr(text, from) : text;
	char *changed = NULL;

	must(spot);
	must(asprintf(&changed, "%.*s%s%s", (int)(spot - text), text, to, from ? spot + strlen(from) : "") >= 0);
	write_file(folder, file, changed);
	free(changed);
}

void policy_folder_lose(const char *folder, const char *file)
{
	char path[POLICY_FOLDER_SIZE + 64];

	path_of(folder, file, path, sizeof path);
	must(unlink(path) == 0);
}

void policy_folder_drop(const char *folder)
{
	for (size_t i = 0; i < FILES; i++) {
		char path[POLICY_FOLDER_SIZE + 64];

		path_of(folder, sound_files[i].name, path, sizeof path);
		(void)unlink(path);
	}
	must(rmdir(folder) == 0);
}

struct policy *policy_folder_load(const char *file, const char *from, const char *to)
{
	char folder[POLICY_FOLDER_SIZE];
	struct problems p = { 0 };

	policy_folder_make(folder);
	if (file)
		policy_folder_change(folder, file, from, to);

	struct policy *policy = policy_load(folder, &p);

	problems_print(&p, stderr);
	problems_close(&p);
	policy_folder_drop(folder);
	assert_non_null(policy);
	return policy;
}

int64_t policy_folder_time(const char *text)
{
	int64_t ms = 0;

	assert_true(clock_parse(text, &ms));
	return ms;
}

void policy_folder_digest(const char *token, char out[DIGEST_TEXT_SIZE])
{
	struct digester *d = digester_new();
	uint8_t digest[DIGEST_SIZE];

	digest_begin(d);
	digest_add(d, token, strlen(token));
	digest_end(d, digest);
	digest_text(digest, out);
	digester_free(d);
}
