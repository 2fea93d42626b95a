/* where: who is responsible at a place? "No idea whom to ask" should never be an answer. */
#include <string.h>

#include "base/text.h"
#include "show.h"
#include "verb.h"

typedef Gridloop__V1__Responsible wire_responsible;

static const struct option_row where_options[] = {
	{ "--category", OPTION_TEXT, "CODE", "for which matter: then also which unit would handle it", 0, 0 },
	{ "--gcj02", OPTION_FLAG, NULL, "the place is GCJ-02, as Chinese phone maps give it", 0, 0 },
	{ 0 },
};

static void print_where_levels(const struct call *call, const wire_responsible *m)
{
	static const struct column columns[] = {
		{ "level", 0, 0, 0 }, { "code", 0, 0, 0 }, { "name", 0, 0, 0 },
		{ "post", 0, 0, 1 },  { "who", 0, 0, 0 },  { "id", 0, 0, 2 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

	for (size_t i = 0; i < m->n_levels; i++) {
		const Gridloop__V1__Level *l = m->levels[i];

		for (size_t k = 0; k == 0 || k < l->n_holders; k++) {
			const Gridloop__V1__Holder *h = k < l->n_holders ? l->holders[k] : NULL;

			table_cell(t, k ? "" : wire_text(l->level));
			table_cell(t, k ? "" : wire_text(l->code));
			table_cell(t, k ? "" : wire_text(l->name));
			table_cell(t, h ? wire_text(h->post_zh) : "");
			table_cell(t, h ? wire_text(h->name) : TABLE_NOTHING);
			table_cell(t, h ? wire_text(h->person) : "");
		}
	}
	table_print(t, stdout, call->width, call->color);
	table_free(t);
}

static void print_where_words(const wire_responsible *m, _Bool asked)
{
	const char *told = wire_text(m->told);

	if (strcmp(told, "default-point") == 0)
		puts("This point stands for \"place unknown\": what is reported there is to be located 待定位.");
	else if (strcmp(told, "located") != 0)
		puts("This place is outside the map: what is reported there is to be located 待定位.");
	for (size_t i = 0; i < m->n_overlays; i++)
		printf("%s %s %s (%s)\n", i ? "        " : "overlays", wire_text(m->overlays[i]->name),
		       wire_text(m->overlays[i]->overlay), wire_text(m->overlays[i]->kind));
	if (asked && m->n_levels)
		printf("%s: %s %s%s\n", wire_text(m->category_name), m->unit.len ? wire_text(m->unit_name) : "nobody",
		       wire_text(m->unit),
		       m->unit.len && !m->sure ? " (not surely: other units are as near to it; a dispatcher chooses)"
		                               : "");
	if (m->why.len)
		printf("  %s\n", wire_text(m->why));
}

static void json_where_levels(struct json *j, const wire_responsible *m)
{
	json_open(j, "levels", '[');
	for (size_t i = 0; i < m->n_levels; i++) {
		const Gridloop__V1__Level *l = m->levels[i];

		json_open(j, NULL, '{');
		json_field(j, "level", l->level);
		json_field(j, "code", l->code);
		json_field(j, "name", l->name);
		json_open(j, "holders", '[');
		for (size_t k = 0; k < l->n_holders; k++) {
			json_open(j, NULL, '{');
			json_field(j, "post", l->holders[k]->post);
			json_field(j, "post_zh", l->holders[k]->post_zh);
			json_field(j, "person", l->holders[k]->person);
			json_field(j, "name", l->holders[k]->name);
			json_field(j, "place", l->holders[k]->place);
			json_close(j, '}');
		}
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void print_where_json(const wire_responsible *m)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_field(&j, "told", m->told);
	json_real(&j, "lat", m->lat);
	json_real(&j, "lon", m->lon);
	json_where_levels(&j, m);
	json_open(&j, "overlays", '[');
	for (size_t i = 0; i < m->n_overlays; i++) {
		json_open(&j, NULL, '{');
		json_field(&j, "overlay", m->overlays[i]->overlay);
		json_field(&j, "name", m->overlays[i]->name);
		json_field(&j, "kind", m->overlays[i]->kind);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_field(&j, "category_name", m->category_name);
	json_field(&j, "unit", m->unit);
	json_field(&j, "unit_name", m->unit_name);
	json_bool(&j, "sure", m->sure);
	json_field(&j, "why", m->why);
	json_close(&j, '}');
	putchar('\n');
}

static enum exit_code run_where(struct call *call)
{
	const struct options *o = &call->options;
	Gridloop__V1__Where where = GRIDLOOP__V1__WHERE__INIT;
	wire_place place = GRIDLOOP__V1__PLACE__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;

	if (!text_to_double(o->words[0], &place.lat) || !text_to_double(o->words[1], &place.lon))
		return call_usage(call, "a place is two numbers of degrees: latitude and longitude");
	place.datum = options_flag(o, "--gcj02") ? GRIDLOOP__V1__DATUM__GCJ02 : GRIDLOOP__V1__DATUM__WGS84;
	where.place = &place;
	where.category = wire_from_text(options_text(o, "--category"));
	frame.body_case = CLIENT_BODY(WHERE);
	frame.where = &where;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(RESPONSIBLE), &code);

	if (!reply)
		return code;
	if (call->json) {
		print_where_json(reply->responsible);
	} else {
		if (reply->responsible->n_levels)
			print_where_levels(call, reply->responsible);
		print_where_words(reply->responsible, where.category.len != 0);
	}
	wire_free(reply);
	return EXIT_OK;
}

const struct verb where_verbs[] = {
	{ .name = "where",
	  .zh = "谁负责",
	  .phase = PHASE_LOOK,
	  .flags = VERB_SERVER | VERB_JSON,
	  .usage = "LAT LON [--category CODE] [--gcj02]",
	  .summary = "who is responsible at a place, level by level",
	  .help = "Tells the grid, community, street and county of a place with who has the duty there now, what lies "
	          "over it\n"
	          "(a river reach, a contract area), and with --category which unit would handle such a matter there.\n"
	          "Anybody who is logged in may ask.",
	  .options = where_options,
	  .example = "gridloop where 34.3350 108.6915\ngridloop where 34.3350 108.6915 --category E0110 --json",
	  .related = "report, locate",
	  .least_words = 2,
	  .most_words = 2,
	  .run = run_where },
	{ 0 },
};
