/* The map against the rows: a case's grid is the one valid when it was reported (domain invariant 7), as far as the policy at
 * hand knows that time, and the place. */
#include <stdio.h>

#include "jurisdiction/policy_map.h"
#include "store/schema.h"
#include "store/verifier.h"
#include "workflow/place.h"

static void check_case(const struct policy *p, struct verify_check *check, sqlite3_stmt *st)
{
	int64_t id = column_int(st, 0), grid = column_int(st, 1), at_ms = column_int(st, 4);
	int32_t lat = (int32_t)column_int(st, 2), lon = (int32_t)column_int(st, 3);
	const struct grid *then = policy_locate(p, lat, lon, at_ms);

	/* A map that begins later, or no longer reaches there, cannot judge. */
	if (then == NULL)
		return;
	check->looked_at++;
	if (then->code != grid && check->broken++ == 0)
		(void)snprintf(check->first, sizeof check->first, "case %lld was in grid %lld, its place in %lld",
		               (long long)id, (long long)grid, (long long)then->code);
}

/* What a person said against the place is that person's word; a camera's grid is its registry's. */
static void check_cases(struct verifier *v, const struct policy *p, struct verify_check *check)
{
	static const char sql[] =
		"SELECT id, iif(reported_grid, reported_grid, grid), lat_e7, lon_e7, reported_ms"
		" FROM closed_case WHERE lat_e7 IS NOT NULL AND NOT grid_said AND camera IS NULL UNION ALL"
		" SELECT id, iif(reported_grid, reported_grid, grid), lat_e7, lon_e7, reported_ms"
		" FROM open_case WHERE lat_e7 IS NOT NULL AND NOT grid_said AND camera IS NULL";
	sqlite3_stmt *st = verifier_prepare(v, sql);

	while (verifier_next(v, st)) {
		check_case(p, check, st);
		if (v->progress)
			v->progress(v->ctx, check->looked_at, v->all);
	}
	(void)sqlite3_finalize(st);
}

_Bool verify_map(const char *path, const struct policy *policy, void (*progress)(void *ctx, int64_t done, int64_t all),
                 void *ctx, struct verify_report *out, char **cause)
{
	struct verifier v = { .report = out, .progress = progress, .ctx = ctx };
	_Bool readable;

	must(out->count < VERIFY_CHECKS_MOST);
	if (!connection_open(&v.connection, path, NULL, CONNECTION_READ, NULL, 0, cause))
		return 0;
	readable = schema_check(&v.connection, cause);
	if (readable) {
		struct verify_check *check = &out->checks[out->count++];

		check->name = "a case's grid is the one valid at its report";
		check->invariant = 7;
		v.all = out->received;
		check_cases(&v, policy, check);
	}
	connection_close(&v.connection);
	return readable;
}
