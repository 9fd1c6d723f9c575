#!/bin/sh
# SPDX-License-Identifier: MIT
# A client of docket, with curl and jq.
set -eu
usage='usage: docket.sh create CASE CALENDAR DUE-ON TITLE   creates a task and prints it
       docket.sh list [PARAMETER=VALUE]...           prints tasks, one a line: list status=none,in_progress
       docket.sh mirror FILE                         brings FILE, a copy of all records, up to date
       docket.sh export YYYY-MM                      prints the tasks completed in a month (UTC), as CSV
DOCKET_API_TOKEN_FILE must name a file with an API token. DOCKET_URL is by default http://127.0.0.1:8080,
DOCKET_USERNAME admin.'

# Sends a request with these options of curl. Its answer is then in $work/head and $work/body.
call() {
	token=$(cat "$DOCKET_API_TOKEN_FILE") || exit 1
	status=$(curl --silent --show-error --user "${DOCKET_USERNAME:-admin}/token:$token" --output "$work/body" \
		--dump-header "$work/head" --write-out '%{http_code}' "$@") || exit 1
	case $status in 2* | 410) return ;; esac
	jq --exit-status --raw-output .detail "$work/body" >&2 2>/dev/null || echo "HTTP status $status" >&2
	exit 1
}

# Writes the tasks of all pages of a list into $work/tasks. The options of curl are the list's parameters.
walk() {
	call --get "$@" --data per_page=500 "$url/api/v1/tasks"
	while :; do
		jq --compact-output '.[]' "$work/body" >>"$work/tasks"
		next=$(sed -n 's/^[Ll]ink:.*<\([^>]*\)>; rel="next".*/\1/p' "$work/head")
		case $next in
		'') return ;;
		/*) next=$(echo "$url" | sed 's,\(://[^/]*\).*,\1,')$next ;; # a path on the same host
		esac
		call "$next"
	done
}

url=${DOCKET_URL:-http://127.0.0.1:8080} work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
trap 'exit 1' HUP INT TERM
case ${DOCKET_API_TOKEN_FILE:+${1:-}/$#} in
create/5)
	task=$(jq --null-input --arg case "$2" --arg calendar "$3" --arg due "$4" --arg title "$5" '{task: {
		casefile_id: ($case | tonumber? // .), calendar_id: ($calendar | tonumber? // .),
		due_on: $due, title: $title}}')
	# docket creates one task for a key, however often it gets the request.
	call --json "$task" --header "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" --retry 3 \
		"$url/api/v1/tasks"
	jq --compact-output . "$work/body" ;;
list/*)
	shift
	for parameter; do
		set -- "$@" --data-urlencode "$parameter"
		shift
	done
	walk "$@"
	cat "$work/tasks" ;;
mirror/2)
	[ -e "$2" ] || echo '{"last": 0, "records": {}}' >"$2"
	while :; do
		last=$(jq .last "$2")
		call "$url/api/v1/changes?since=$last"
		if [ "$status" = 410 ]; then # the server was restored from a backup: begin again
			echo '{"last": 0, "records": {}}' >"$2"
			continue
		fi
		[ "$(jq '.changes | length' "$work/body")" -gt 0 ] || break
		jq --compact-output --slurpfile answer "$work/body" '.last = $answer[0].last |
			reduce $answer[0].changes[] as {$record, $id, $action, $value} (.; if $action == "delete"
				then del(.records[$record]["\($id)"]) else .records[$record]["\($id)"] = $value end)' \
			"$2" >"$2.new"
		mv "$2.new" "$2" # the records and the number of the last change at once
	done ;;
export/2)
	last=$(date --utc --date "$2-01 +1 month -1 day" +%F) || exit 1
	walk --data "complete_from=$2-01" --data "complete_to=$last" --data expand=case
	jq --raw-output --slurp '["id", "case_number", "title", "due_on", "complete_at"],
		(.[] | [.id, .Casefile.case_number, .title, .due_on, .complete_at]) | @csv' "$work/tasks" ;;
*)
	echo "$usage" >&2
	exit 2 ;;
esac
