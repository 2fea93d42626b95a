/* The emergencies there are and were, newest first. */
#include "store/reader.h"

enum query_status query_emergencies(struct reader *r, struct result *mem, struct emergency **rows, size_t *count)
{
	sqlite3_stmt *st;
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*count = 0;
	*rows = result_take(mem, QUERY_PAGE_MOST * sizeof **rows);
	if (result == SQLITE_OK) {
		st = reader_use(r, READ_EMERGENCIES);
		bind_int(st, 1, QUERY_PAGE_MOST);
		while ((result = sqlite3_step(st)) == SQLITE_ROW && *count < QUERY_PAGE_MOST)
			(*rows)[(*count)++] = (struct emergency){
				.id = column_int(st, 0),
				.area = column_int(st, 1),
				.from_ms = column_int(st, 2),
				.to_ms = column_int(st, 3),
				.declared_ms = column_int(st, 4),
				.declared_by = result_text(mem, column_text(st, 5)),
				.lifted_ms = column_int(st, 6),
				.lifted_by = result_text(mem, column_text(st, 7)),
				.text = result_text(mem, column_text(st, 8)),
			};
	}
	return reader_end(r, result);
}
