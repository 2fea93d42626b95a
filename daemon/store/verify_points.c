/* The ledger added up again, person by person, beside what account says. */
#include <stdlib.h>
#include <string.h>

#include "store/verifier.h"

static void check_sum(struct verifier *v, sqlite3_stmt *account, const char *person, int64_t sum)
{
	_Bool found;

	(void)sqlite3_reset(account);
	bind_text(account, 1, person);
	found = verifier_next(v, account);
	(void)verifier_look(v, VERIFY_BALANCE, found && column_int(account, 0) == sum,
	                    "%s: rows add up to %lld, the account says %lld", person, (long long)sum,
	                    found ? (long long)column_int(account, 0) : 0);
}

/* The rows of one person after another, each in order. */
static void add_up(struct verifier *v, sqlite3_stmt *rows, sqlite3_stmt *account)
{
	char *person = NULL;
	int64_t sum = 0;

	while (verifier_next(v, rows)) {
		const char *next = column_text(rows, 0);

		if (person == NULL || strcmp(person, next) != 0) {
			if (person)
				check_sum(v, account, person, sum);
			free(person);
			person = must_strdup(next);
			sum = 0;
		}
		sum += column_int(rows, 1);
		(void)verifier_look(v, VERIFY_NEVER_NEGATIVE, sum >= 0, "%s had %lld at row %lld", next, (long long)sum,
		                    (long long)column_int(rows, 2));
		verifier_step(v);
	}
	if (person)
		check_sum(v, account, person, sum);
	free(person);
}

void verifier_points(struct verifier *v)
{
	sqlite3_stmt *rows = verifier_prepare(v, "SELECT person, points, id FROM ledger INDEXED BY ledger_by_person"
	                                         " ORDER BY person, id");
	sqlite3_stmt *account = verifier_prepare(v, "SELECT balance FROM account WHERE person = ?");
	sqlite3_stmt *empty = verifier_prepare(v, "SELECT person, balance FROM account AS a WHERE NOT EXISTS"
	                                          " (SELECT 1 FROM ledger AS l WHERE l.person = a.person)");

	if (rows && account)
		add_up(v, rows, account);
	while (verifier_next(v, empty))
		(void)verifier_look(v, VERIFY_BALANCE, 0, "%s: no rows, the account says %lld", column_text(empty, 0),
		                    (long long)column_int(empty, 1));
	(void)sqlite3_finalize(rows);
	(void)sqlite3_finalize(account);
	(void)sqlite3_finalize(empty);
}
