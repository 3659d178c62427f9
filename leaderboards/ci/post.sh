#!/usr/bin/env bash
# Posts a comment on the pull request of a commit, or replaces the one that it posted before.
#
#   COMMENT             file with the comment, whose first line marks it
#   HEAD_SHA            commit at the head of the pull request
#   GITHUB_REPOSITORY   owner/name
#   GH_TOKEN            for gh
set -euo pipefail

api="repos/$GITHUB_REPOSITORY"
number=$(gh api "$api/commits/$HEAD_SHA/pulls" --jq 'map(select(.state == "open")) | .[0].number // empty')
if [ -z "$number" ]; then
    echo "no open pull request has the commit $HEAD_SHA" >&2
    exit 0
fi
mark=$(head -n 1 "$COMMENT")
before=$(MARK=$mark gh api "$api/issues/$number/comments" --paginate \
    --jq '.[] | select(.user.type == "Bot" and (.body | startswith(env.MARK))) | .id' | head -n 1)
if [ -n "$before" ]; then
    gh api --silent --method PATCH "$api/issues/comments/$before" --field "body=@$COMMENT"
else
    gh api --silent --method POST "$api/issues/$number/comments" --field "body=@$COMMENT"
fi
