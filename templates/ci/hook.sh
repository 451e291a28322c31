#!/bin/sh
# Written by `promote ci init hook`. Put it into the bare repository that holds the environment's code, as
# hooks/post-receive, executable. On every push to the branch below it lets `promote ci run` migrate the
# schema and build the models.
#
# PROMOTE         the binary, where it is not on the path
# promote-ci.env  a file in the repository that is read first, for variables such as PROMOTE_WAREHOUSE__PATH
# promote-ci.log  the file in the repository that keeps what was said; whoever pushes sees it too
#
# A push stands, whatever comes out here: where the schema is refused, the environment goes on hold and the
# message holds the command that continues.
set -u

environment={{ environment_shell }}
branch={{ branch_shell }}

# Git starts this in the repository.
repository=$(pwd -P)
log=$repository/promote-ci.log

# What Git says about this one push (GIT_DIR, GIT_QUARANTINE_PATH and the like) would mislead every other git.
for variable in $(git rev-parse --local-env-vars) GIT_QUARANTINE_PATH; do
  unset "$variable"
done

if [ -f "$repository/promote-ci.env" ]; then
  set -a
  # shellcheck source=/dev/null
  . "$repository/promote-ci.env"
  set +a
fi

export PROMOTE_CI=hook
export PROMOTE_CI_BRANCH="$branch"
export PROMOTE_CI_REPOSITORY="$repository"

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
outcome=0
while read -r _ after name; do
  [ "$name" = "refs/heads/$branch" ] || continue
  case $after in
    *[!0]*) ;;
    *) continue ;; # The branch was deleted.
  esac
  export PROMOTE_CI_COMMIT="$after"
  {
    printf '%s %s: promote ci run -e %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$after" "$environment"
    "${PROMOTE:-promote}" ci run -e "$environment" 2>&1 </dev/null
    printf '%s' "$?" >"$scratch/status"
  } | tee -a "$log"
  status=$(cat "$scratch/status")
  if [ "$status" -ne 0 ]; then
    outcome=$status
    printf 'promote ended with status %s; %s keeps what it said.\n' "$status" "$log"
  fi
done
exit "$outcome"
