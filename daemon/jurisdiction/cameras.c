#include "jurisdiction/cameras.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "jurisdiction/policy_parts.h"

#define CAMERAS_FILE "cameras.csv"
#define LABELS_FILE "camera_labels.csv"
#define EVERY_CAMERA "*"
#define DEVICE_MOST 100
#define REPEAT_MOST 1000000
#define ID_EXPECTED "an id of at most 64 letters, digits and - _ . / : @"

/* ---- the files ---- */

#define CAMERA(f) offsetof(struct camera, f)
static const struct column camera_columns[] = {
	{ "camera", cell_id, CAMERA(id), .key = 1, .expected = ID_EXPECTED },
	{ "name", cell_name, CAMERA(name), .expected = "a name of at most 200 bytes" },
	{ "gateway", cell_id, CAMERA(gateway), .expected = ID_EXPECTED },
	{ "grid", cell_grid, CAMERA(grid), .none = "", .expected = "a grid code of 15 digits, or nothing" },
	{ "lat", cell_degrees, CAMERA(lat_e7), .least = -90, .most = 90,
	  .expected = "a latitude in degrees, -90 to 90" },
	{ "lon", cell_degrees, CAMERA(lon_e7), .least = -180, .most = 180,
	  .expected = "a longitude in degrees, -180 to 180" },
	{ "device", cell_name, CAMERA(device), .none = "", .most = DEVICE_MOST,
	  .expected = "what the camera calls itself, at most 100 bytes, or nothing" },
	{ .name = NULL },
};

#define LABEL(f) offsetof(struct camera_label, f)
#define SPAN_EXPECTED "a span of time such as 90s, 10m or 4h, at most a day, or nothing"
static const struct column label_columns[] = {
	{ "camera", cell_id, LABEL(of), .key = 1, .none = EVERY_CAMERA,
	  .expected = "a camera or a gateway of cameras.csv, or *" },
	{ "label", cell_name, LABEL(label), .key = 1, .most = CELL_ID_MOST, .expected = "a label of at most 64 bytes" },
	{ "category", cell_category, LABEL(category), .expected = "a code such as E0110 or C0102" },
	{ "confidence", cell_share, LABEL(confidence), .none = "",
	  .expected = "a number from 0 to 1, or nothing when the camera gives none" },
	{ "dwell", cell_span, LABEL(dwell_ms), .none = "", .most = CLOCK_DAY_MS, .expected = SPAN_EXPECTED },
	{ "repeat", cell_int, LABEL(repeat), .none = "", .least = 1, .most = REPEAT_MOST },
	{ "gap", cell_span, LABEL(gap_ms), .none = "", .least = CLOCK_MINUTE_MS, .most = CLOCK_DAY_MS,
	  .expected = "a span of time such as 5m or 4h, from a minute to a day, or nothing" },
	{ .name = NULL },
};

static size_t camera_key(const void *row, char out[SHEET_KEY_SIZE])
{
	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%s", ((const struct camera *)row)->id);
}

static const char *named_by(const struct camera_label *l)
{
	return l->of ? l->of : EVERY_CAMERA;
}

static size_t label_key(const void *row, char out[SHEET_KEY_SIZE])
{
	const struct camera_label *l = row;

	return policy_key_pair(named_by(l), l->label, out);
}

static const struct sheet camera_sheet = {
	CAMERAS_FILE, "camera", camera_columns, sizeof(struct camera), camera_key, 0
};
static const struct sheet label_sheet = { LABELS_FILE,   "camera and label",
	                                  label_columns, sizeof(struct camera_label),
	                                  label_key,     0 };

/* A device has many spellings of one address, and a clerk copies what the camera's own page shows. */
static size_t device_key(const char *gateway, const char *device, char out[SHEET_KEY_SIZE])
{
	size_t size = policy_key_pair(gateway, device, out);

	for (size_t i = strlen(gateway); i < size; i++)
		out[i] = (char)tolower((unsigned char)out[i]);
	return size;
}

void cameras_read(struct policy *policy, const char *folder, struct problems *p)
{
	struct cameras *c = &policy->cameras;
	char key[SHEET_KEY_SIZE];

	sheet_read(&camera_sheet, folder, &c->list, &policy->texts, p);
	sheet_read(&label_sheet, folder, &c->labels, &policy->texts, p);
	for (size_t i = 0; i < c->list.count; i++) {
		struct camera *k = c->list.rows[i];

		if (c->list.sound[i] && k->device)
			(void)lookup_add(&c->devices, key, device_key(k->gateway, k->device, key), k);
	}
	for (size_t i = 0; i < c->labels.count; i++) {
		struct camera_label *l = c->labels.rows[i];

		(void)lookup_add(&c->named, named_by(l), strlen(named_by(l)), l);
	}
}

void cameras_close(struct cameras *c)
{
	lookup_close(&c->devices);
	lookup_close(&c->named);
	table_close(&c->list);
	table_close(&c->labels);
}

/* ---- checks ---- */

struct check {
	const struct policy *policy;
	struct problems *problems;
	char *path;
	const struct table *table;
	size_t row;
};

PRINTF_LIKE(2, 3) static void wrong(const struct check *c, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	must(vasprintf(&text, format, args) >= 0);
	va_end(args);
	problems_add(c->problems, c->path, c->table->lines[c->row], "%s", text);
	free(text);
}

static int line_of(const struct table *t, const void *row)
{
	size_t i = 0;

	while (i < t->count && t->rows[i] != row)
		i++;
	return i < t->count ? t->lines[i] : 0;
}

static void check_gateway(const struct check *c, const struct camera *k)
{
	const struct person *gateway = policy_person(c->policy, k->gateway);

	if (gateway == NULL) {
		if (!c->policy->people.partial)
			wrong(c, "found gateway \"%s\"; expected a person from people.csv", k->gateway);
	} else if (gateway->roles && !(gateway->roles & ROLE_CAMERAS)) {
		wrong(c, "found gateway \"%s\" without the role cameras; expected one that has it", k->gateway);
	}
}

static void check_device(const struct check *c, const struct camera *k)
{
	const struct camera *first = policy_camera_device(c->policy, k->gateway, k->device);

	if (first && first != k)
		wrong(c, "found device \"%s\" again; expected it once for gateway %s, as in line %d", k->device,
		      k->gateway, line_of(c->table, first));
}

/* Rows for it alone, for its owner's or for all cameras. */
static _Bool has_labels(const struct cameras *r, const struct camera *k)
{
	return r->labels.partial || lookup_find_text(&r->named, k->id) || lookup_find_text(&r->named, k->gateway) ||
	       lookup_find_text(&r->named, EVERY_CAMERA);
}

static void check_camera(const struct check *c)
{
	const struct policy *p = c->policy;
	const struct camera *k = c->table->rows[c->row];
	const struct person *namesake = policy_person(p, k->id);

	check_gateway(c, k);
	check_device(c, k);
	if (k->grid && !policy_grid(p, k->grid) && !p->grids.partial)
		wrong(c, "found grid %" PRId64 "; expected one from grids.csv, or nothing", k->grid);
	/* In camera_labels.csv one name must not mean two things. */
	if (namesake && (namesake->roles & ROLE_CAMERAS))
		wrong(c, "found camera \"%s\", which is a gateway in people.csv; expected an id of its own", k->id);
	if (!has_labels(&p->cameras, k))
		wrong(c, "found camera \"%s\" without a label; expected one in " LABELS_FILE " for it, for %s or for *",
		      k->id, k->gateway);
}

/* A row whose gateway could not be read has been told of, and may be meant to be this one's. */
static _Bool owns_a_camera(const struct cameras *r, const char *gateway)
{
	for (size_t i = 0; i < r->list.count; i++) {
		const struct camera *k = r->list.rows[i];

		if (k->gateway == NULL || strcmp(k->gateway, gateway) == 0)
			return 1;
	}
	return 0;
}

static void check_label(const struct check *c)
{
	const struct policy *p = c->policy;
	const struct camera_label *l = c->table->rows[c->row];
	char text[WORDS_CATEGORY_SIZE];

	if (l->of && !policy_camera(p, l->of) && !owns_a_camera(&p->cameras, l->of) && !p->cameras.list.partial)
		wrong(c, "found camera \"%s\"; expected a camera or a gateway of " CAMERAS_FILE ", or *", l->of);
	if (policy_category(p, l->category) || p->categories.partial)
		return;
	words_category_text(l->category, text);
	wrong(c, "found category %s; expected one from categories.csv", text);
}

static void check_place(const struct check *c)
{
	const struct camera *k = c->table->rows[c->row];
	const struct grid *g = policy_locate(c->policy, k->lat_e7, k->lon_e7, POLICY_LATEST);

	if (g == NULL)
		wrong(c, "found camera \"%s\" at a place outside every grid; expected one inside%s", k->id,
		      k->grid ? " its grid" : " a grid");
	else if (k->grid != 0 && g->code != k->grid)
		wrong(c,
		      "found camera \"%s\" at a place in grid %" PRId64 "; expected one in its grid %" PRId64
		      ", or another grid",
		      k->id, g->code, k->grid);
}

static void check_rows(const struct policy *policy, const struct table *t, const char *folder, const char *file,
                       struct problems *p, void (*check)(const struct check *c))
{
	struct check c = { .policy = policy, .problems = p, .table = t };

	must(asprintf(&c.path, "%s/%s", folder, file) >= 0);
	for (c.row = 0; c.row < t->count; c.row++)
		if (t->sound[c.row])
			check(&c);
	free(c.path);
}

void cameras_check(const struct policy *policy, const char *folder, struct problems *p)
{
	check_rows(policy, &policy->cameras.list, folder, CAMERAS_FILE, p, check_camera);
	check_rows(policy, &policy->cameras.labels, folder, LABELS_FILE, p, check_label);
}

void cameras_check_places(const struct policy *policy, const char *folder, struct problems *p)
{
	check_rows(policy, &policy->cameras.list, folder, CAMERAS_FILE, p, check_place);
}

/* ---- look-ups ---- */

const struct camera *policy_camera(const struct policy *p, const char *id)
{
	return lookup_find_text(&p->cameras.list.by_key, id);
}

const struct camera *policy_camera_device(const struct policy *p, const char *gateway, const char *device)
{
	char key[SHEET_KEY_SIZE];
	size_t size = gateway && device ? device_key(gateway, device, key) : 0;

	return size ? lookup_find(&p->cameras.devices, key, size) : NULL;
}

const struct camera_label *policy_camera_label(const struct policy *p, const struct camera *k, const char *label)
{
	const char *const names[] = { k ? k->id : NULL, k ? k->gateway : NULL, EVERY_CAMERA };
	const struct camera_label *found = NULL;
	char key[SHEET_KEY_SIZE];

	for (size_t i = 0; k && label && !found && i < sizeof names / sizeof names[0]; i++) {
		size_t size = policy_key_pair(names[i], label, key);

		found = size ? lookup_find(&p->cameras.labels.by_key, key, size) : NULL;
	}
	return found;
}

const struct camera *policy_camera_at(const struct policy *p, size_t i)
{
	return table_at(&p->cameras.list, i);
}

const struct camera_label *policy_camera_label_at(const struct policy *p, size_t i)
{
	return table_at(&p->cameras.labels, i);
}
