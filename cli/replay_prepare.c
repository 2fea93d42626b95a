#include "replay_prepare.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "replay_classes.h"
#include "replay_points.h"
#include "replay_run.h"

#define STREET "900101001000"
#define UNIT "works"
#define MARGIN 0.01 /* degrees around the outermost positions, about a kilometre */
#define LIMIT_LEAST_MS CLOCK_MINUTE_MS
#define LIMIT_MOST_MS (3650 * CLOCK_DAY_MS)
#define NAME_MOST 200
#define POINTS_FILE "default_points.csv"

static void put_cell(FILE *to, const char *text, size_t most)
{
	putc('"', to);
	for (size_t i = 0, length = text_cut(text, most); i < length; i++) {
		if (text[i] == '"')
			putc('"', to);
		putc((unsigned char)text[i] < 0x20 ? ' ' : text[i], to);
	}
	putc('"', to);
}

static void write_areas(const struct replay_file *f, FILE *to)
{
	(void)f;
	fputs("code,name,parent\n" STREET ",the city,\n" REPLAY_COMMUNITY ",the city's only community," STREET "\n",
	      to);
}

static void write_grids(const struct replay_file *f, FILE *to)
{
	fprintf(to,
	        "grid,name,community,south,west,north,east\n" REPLAY_FIRST_GRID ",the whole city," REPLAY_COMMUNITY
	        ",%.6f,%.6f,%.6f,%.6f\n",
	        f->placed ? f->south - MARGIN : -MARGIN, f->placed ? f->west - MARGIN : -MARGIN,
	        f->placed ? f->north + MARGIN : MARGIN, f->placed ? f->east + MARGIN : MARGIN);
}

/* The first kind of the same class in the same category of the city stands for the family. */
static const struct replay_kind *head_of_family(const struct replay_file *f, const struct replay_kind *k)
{
	const struct replay_class *class = replay_class_of(k->category, k->subcategory);
	const struct replay_kind *head = f->kinds;

	while (head->class != k->class || replay_class_of(head->category, head->subcategory) != class)
		head++;
	return head;
}

static void write_merging(const struct replay_file *f, const struct replay_kind *k, FILE *to)
{
	const struct replay_class *class = replay_class_of(k->category, k->subcategory);
	char code[6] = "";

	if (class->kin)
		replay_kind_code(head_of_family(f, k), code);
	fprintf(to, ",%d,%g,%d,%d,%s,%s\n", f->apart ? 0 : class->merge_m, f->apart ? 0 : class->merge_hours,
	        class->maybe_m, class->maybe_hours, class->matter, code);
}

static void write_categories(const struct replay_file *f, FILE *to)
{
	char code[6];

	fputs("category,name,zh,limit,points,sure,after_photo,merge_m,merge_hours,maybe_m,maybe_hours,matter,kin\n",
	      to);
	for (size_t i = 0; i < f->kind_count; i++) {
		const struct replay_kind *k = &f->kinds[i];
		int64_t limit = k->limit_ms < LIMIT_LEAST_MS  ? LIMIT_LEAST_MS
		                : k->limit_ms > LIMIT_MOST_MS ? LIMIT_MOST_MS
		                                              : k->limit_ms;

		replay_kind_code(k, code);
		fprintf(to, "%s,", code);
		put_cell(to, k->subcategory[0] ? k->subcategory : "unnamed", NAME_MOST);
		fprintf(to, ",,%" PRId64 "s,1,yes,no", limit / CLOCK_SECOND_MS);
		write_merging(f, k, to);
	}
}

static void write_default_points(const struct replay_file *f, FILE *to)
{
	struct replay_point points[REPLAY_POINTS_MOST];
	size_t count = replay_points(f, points);

	fputs("name,lat,lon,radius_m\n", to);
	for (size_t i = 0; i < count; i++)
		fprintf(to, "stands for %zu unplaced reports (%zu),%.7f,%.7f,1\n", points[i].rows, i + 1, points[i].lat,
		        points[i].lon);
}

static void write_units(const struct replay_file *f, FILE *to)
{
	(void)f;
	fputs("unit,name,kind,area\n" UNIT ",the city's works department,department,\n", to);
}

static const struct {
	const char *id, *name, *kind, *roles, *unit, *trusted;
} people[] = {
	{ REPLAY_CITY, "the city", "hotline", "reporter+gateway+handler+acceptor", UNIT, "yes" },
	{ REPLAY_CHECKER, "the checker", "grid-worker", "reporter+worker", "", "no" },
	{ REPLAY_OPERATOR, "the operator", "", "operator+supervisor+acceptor+dispatcher", "", "no" },
};

static void write_people(const struct replay_file *f, FILE *to)
{
	struct digester *d = digester_new();
	uint8_t digest[DIGEST_SIZE];
	char hex[DIGEST_TEXT_SIZE];

	(void)f;
	fputs("id,name,kind,roles,area,unit,token_sha256,trusted\n", to);
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
		digest_begin(d);
		digest_add(d, REPLAY_TOKEN, strlen(REPLAY_TOKEN));
		digest_add(d, people[i].id, strlen(people[i].id));
		digest_end(d, digest);
		digest_text(digest, hex);
		fprintf(to, "%s,%s,%s,%s,,%s,%s,%s\n", people[i].id, people[i].name, people[i].kind, people[i].roles,
		        people[i].unit, hex, people[i].trusted);
	}
	digester_free(d);
}

static void write_routes(const struct replay_file *f, FILE *to)
{
	(void)f;
	fputs("category,area,unit,from,to\n*,*," UNIT ",,\n", to);
}

static void write_kinds(const struct replay_file *f, FILE *to)
{
	(void)f;
	fputs("post,zh,name,per,role,least,most,duty\nfull-time,专职网格员,the checker,grid,worker,1,1,1\n", to);
}

static void write_posts(const struct replay_file *f, FILE *to)
{
	(void)f;
	fputs("area,post,person,from,to\n" REPLAY_COMMUNITY ",full-time," REPLAY_CHECKER ",,\n", to);
}

static void write_cameras(const struct replay_file *f, FILE *to)
{
	(void)f;
	fputs("camera,name,gateway,grid,lat,lon,device\n", to);
}

static void write_camera_labels(const struct replay_file *f, FILE *to)
{
	(void)f;
	fputs("camera,label,category,confidence,dwell,repeat,gap\n", to);
}

static void write_reasons(const struct replay_file *f, FILE *to)
{
	static const char *const acts[] = { "reject", "return", "rework", "suspend", "dismiss", "exempt" };

	(void)f;
	fputs("act,code,text\n", to);
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
		fprintf(to, "%s,other,another reason\n", acts[i]);
}

static void write_rules(const struct replay_file *f, FILE *to)
{
	(void)f;
	/* So that a check by the next round (replay_run.h) is in time. */
	fprintf(to,
	        "# The checker comes round once an hour.\ncheck = %" PRId64 "m\n"
	        "# The city's file names nobody, and years of it are to be looked at afterwards.\npersonal_keep_days = "
	        "0\n",
	        REPLAY_WINDOW_MS / CLOCK_MINUTE_MS);
}

static const struct {
	const char *name;
	void (*write)(const struct replay_file *f, FILE *to);
} files[] = {
	{ "areas.csv", write_areas },           { "grids.csv", write_grids },
	{ "categories.csv", write_categories }, { "units.csv", write_units },
	{ "people.csv", write_people },         { "routes.csv", write_routes },
	{ "cameras.csv", write_cameras },       { "camera_labels.csv", write_camera_labels },
	{ "reasons.csv", write_reasons },       { "policy.conf", write_rules },
	{ "post_kinds.csv", write_kinds },      { "posts.csv", write_posts },
};

static _Bool write_file(const struct replay_file *f, const char *folder, const char *name,
                        void (*write)(const struct replay_file *f, FILE *to), struct trouble *why)
{
	char path[4096];

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return trouble_set(why, EXIT_USAGE, "the folder's name is too long");

	FILE *to = fopen(path, "we");

	if (!to)
		return trouble_set(why, EXIT_USAGE, "cannot write %.300s: %s", path, strerror(errno));
	write(f, to);

	_Bool good = !ferror(to);

	good = fclose(to) == 0 && good;
	return good || trouble_set(why, EXIT_USAGE, "cannot write %.300s: %s", path, strerror(errno));
}

_Bool replay_prepare(const struct replay_file *f, const char *folder, struct trouble *why)
{
	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		return trouble_set(why, EXIT_USAGE, "cannot make %.300s: %s", folder, strerror(errno));
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (!write_file(f, folder, files[i].name, files[i].write, why))
			return 0;
	return 1;
}

_Bool replay_prepare_points(const struct replay_file *f, const char *folder, struct trouble *why)
{
	return write_file(f, folder, POINTS_FILE, write_default_points, why);
}

void replay_prepare_undo(const char *folder)
{
	char path[4096];

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (snprintf(path, sizeof path, "%s/%s", folder, files[i].name) < (int)sizeof path)
			(void)unlink(path);
	if (snprintf(path, sizeof path, "%s/" POINTS_FILE, folder) < (int)sizeof path)
		(void)unlink(path);
	(void)rmdir(folder);
}
