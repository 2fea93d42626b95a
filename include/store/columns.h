/* columns: the one place that names the columns of a case row. The statements, the binding, the reading and verify's
 * comparison are all made from these lists. Private to store/. */
#ifndef STORE_COLUMNS_H
#define STORE_COLUMNS_H

/* X(column, kind, field of struct case_file, counter of a list, replayed). replayed: the case's events give it (verify
 * compares it); the others are the report's own. In table order after id. First what a case is opened with, and keeps. */
#define ROW_OPENING(X)                                                                                                 \
	X(reporter_kind, UINT8, reporter_kind, id, 0)                                                                  \
	X(anonymous, BOOL, anonymous, id, 0)                                                                           \
	X(reporter, TEXT, reporter, id, 0)                                                                             \
	X(actor, TEXT, actor, id, 0)                                                                                   \
	X(reported_ms, INT64, reported_ms, id, 1)
/* What every case is opened with, and changes. */
#define ROW_MOVING(X)                                                                                                  \
	X(last_event, INT64, last_event, id, 1)                                                                        \
	X(grid, INT64, grid, id, 1)                                                                                    \
	X(category, INT32, category, id, 1)                                                                            \
	X(lat_e7, PLACE, lat_e7, id, 0)                                                                                \
	X(lon_e7, PLACE, lon_e7, id, 0)                                                                                \
	X(state, UINT8, state, id, 1)                                                                                  \
	X(since_ms, INT64, since_ms, id, 1)                                                                            \
	X(stage_due_ms, INT64, stage_due_ms, id, 1)
/* What is zero or NULL in an ordinary new case. */
#define ROW_LATER(X)                                                                                                   \
	X(reported_grid, INT64, reported_grid, id, 1)                                                                  \
	X(grid_said, BOOL, grid_said, id, 1)                                                                           \
	X(told, UINT8, told, id, 1)                                                                                    \
	X(level, UINT8, level, id, 1)                                                                                  \
	X(rating, UINT8, rating, id, 1)                                                                                \
	X(extensions, UINT8, extensions, id, 1)                                                                        \
	X(suspensions, UINT8, suspensions, id, 1)                                                                      \
	X(reopened, UINT8, reopened, id, 1)                                                                            \
	X(reworked, UINT8, reworked, id, 1)                                                                            \
	X(returned, UINT8, returned, id, 1)                                                                            \
	X(supervised, UINT8, supervised, id, 1)                                                                        \
	X(photo_roles, UINT8, photo_roles, id, 1)                                                                      \
	X(late, BOOL, late, id, 1)                                                                                     \
	X(stage_overdue, BOOL, stage_overdue, id, 1)                                                                   \
	X(camera, TEXT, camera, id, 0)                                                                                 \
	X(alarm_event, TEXT, alarm_event, id, 0)                                                                       \
	X(handler, TEXT, handler, id, 1)                                                                               \
	X(worker, TEXT, worker, id, 1)                                                                                 \
	X(checker, TEXT, checker, id, 1)                                                                               \
	X(handled_by, TEXT, handled_by, id, 1)                                                                         \
	X(helpers, UNITS, helpers, helper_count, 1)                                                                    \
	X(whistled, UNITS, whistled, whistled_count, 1)                                                                \
	X(helper_done, UINT8, helper_done, id, 1)                                                                      \
	X(helper_late, UINT8, helper_late, id, 1)                                                                      \
	X(helper_told, UINT8, helper_told, id, 1)                                                                      \
	X(helper_due_1, INT64, helper_due_ms[0], id, 1)                                                                \
	X(helper_due_2, INT64, helper_due_ms[1], id, 1)                                                                \
	X(helper_due_3, INT64, helper_due_ms[2], id, 1)                                                                \
	X(helper_due_4, INT64, helper_due_ms[3], id, 1)                                                                \
	X(basis, TEXT, basis, id, 1)                                                                                   \
	X(basis_until_ms, INT64, basis_until_ms, id, 1)                                                                \
	X(whistled_answered, UINT8, whistled_answered, id, 1)                                                          \
	X(filed_ms, INT64, filed_ms, id, 1)                                                                            \
	X(dispatched_ms, INT64, dispatched_ms, id, 1)                                                                  \
	X(handled_ms, INT64, handled_ms, id, 1)                                                                        \
	X(closed_ms, INT64, closed_ms, id, 1)                                                                          \
	X(reviewed_ms, INT64, reviewed_ms, id, 1)                                                                      \
	X(ended_ms, INT64, ended_ms, id, 1)                                                                            \
	X(first_reply_ms, INT64, first_reply_ms, id, 1)                                                                \
	X(discover_ms, INT64, spent_ms[STAGE_DISCOVER], id, 1)                                                         \
	X(handle_ms, INT64, spent_ms[STAGE_HANDLE], id, 1)                                                             \
	X(feedback_ms, INT64, spent_ms[STAGE_FEEDBACK], id, 1)                                                         \
	X(paused_ms, INT64, spent_ms[STAGE_PAUSED], id, 1)                                                             \
	X(accept_left_ms, INT64, accept_left_ms, id, 1)                                                                \
	X(limit_ms, INT64, limit_ms, id, 1)                                                                            \
	X(limit_unit, UINT8, limit_unit, id, 1)                                                                        \
	X(handle_due_ms, INT64, handle_due_ms, id, 1)                                                                  \
	X(handle_set_event, INT64, handle_set_event, id, 1)                                                            \
	X(exempted, UINT8, exempted, id, 1)                                                                            \
	X(handle_warn_ms, INT64, handle_warn_ms, id, 1)                                                                \
	X(handle_left_ms, INT64, handle_left_ms, id, 1)                                                                \
	X(escalate_at_ms, INT64, escalate_at_ms, id, 1)                                                                \
	X(asked_extension_ms, INT64, asked_extension_ms, id, 1)                                                        \
	X(asked_suspend_until_ms, INT64, asked_suspend_until_ms, id, 1)                                                \
	X(merged_into, INT64, merged_into, id, 1)                                                                      \
	X(last_alarm_ms, INT64, last_alarm_ms, id, 1)                                                                  \
	X(alarm_count, INT32, alarm_count, id, 1)                                                                      \
	X(points, INT32, points, id, 1)                                                                                \
	X(doubts, UINT8, doubts, id, 1)
/* The report's particulars, after the columns of the case_file. */
#define ROW_REPORT(X)                                                                                                  \
	X(channel)                                                                                                     \
	X(address)                                                                                                     \
	X(description)                                                                                                 \
	X(beneficiary) X(programme) X(photos) X(label) X(seen_at_ms) X(confidence_ppm) X(contact_name) X(contact_phone)

/* The columns of case_event, in table order. */
#define EVENT_NAMES                                                                                                    \
	"id, case_id, prev, at_ms, act, from_state, to_state, actor, ref, text, value, category, grid, stage_due_ms,"  \
	" handle_due_ms, handle_warn_ms, handle_left_ms, unit, photo_roles"
#define EVENT_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"
#define EVENT_COLUMNS 19
#define ROW_NAME(column, ...) "," #column
#define ROW_MARK(...) ",?"
#define ROW_SET(column, ...) "," #column "=?"
#define ROW_ONE(...) +1

#define ROW_CASE_NAMES "id" ROW_OPENING(ROW_NAME) ROW_MOVING(ROW_NAME) ROW_LATER(ROW_NAME)
#define ROW_ALL_NAMES ROW_CASE_NAMES ROW_REPORT(ROW_NAME)
#define ROW_ALL_MARKS "?" ROW_OPENING(ROW_MARK) ROW_MOVING(ROW_MARK) ROW_LATER(ROW_MARK) ROW_REPORT(ROW_MARK)
/* An ordinary new case: the other columns take their defaults. */
#define ROW_NEW_NAMES "id" ROW_OPENING(ROW_NAME) ROW_MOVING(ROW_NAME) ROW_REPORT(ROW_NAME)
#define ROW_NEW_MARKS "?" ROW_OPENING(ROW_MARK) ROW_MOVING(ROW_MARK) ROW_REPORT(ROW_MARK)
/* For UPDATE: id is set to itself, so that the list may begin with a comma. */
#define ROW_CHANGES "id=id" ROW_MOVING(ROW_SET) ROW_LATER(ROW_SET)

enum {
	ROW_OPENING_COUNT = ROW_OPENING(ROW_ONE),
	ROW_MOVING_COUNT = ROW_MOVING(ROW_ONE),
	ROW_LATER_COUNT = ROW_LATER(ROW_ONE),
	ROW_CASE_COUNT = 1 + ROW_OPENING_COUNT + ROW_MOVING_COUNT + ROW_LATER_COUNT,
	ROW_REPORT_COUNT = ROW_REPORT(ROW_ONE)
};

#endif
