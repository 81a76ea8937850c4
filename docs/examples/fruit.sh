#!/usr/bin/env bash
# Makes the repository "fruit" in the working directory. At every run the same six commits and a merge, by three authors;
# a binary file and file names that are hard on scripts are in it. The pages beside this file report on it.
set -euo pipefail

git init --quiet --initial-branch=main fruit
cd fruit
git config commit.gpgSign false

# commit AUTHOR DATE MESSAGE: all changes, as this author at this time.
commit() {
    local name=$1 mail="${1%% *}@example.org"
    git add --all
    GIT_AUTHOR_NAME=$name GIT_AUTHOR_EMAIL=$mail GIT_AUTHOR_DATE=$2 \
        GIT_COMMITTER_NAME=$name GIT_COMMITTER_EMAIL=$mail GIT_COMMITTER_DATE=$2 git commit --quiet --message "$3"
}

seq 1 1200 >apples
commit "Ada Lovelace" "2024-02-28T23:30:00-05:00" "Plant"
seq 1 300 >"pears
and plums"
commit "Brontë, E." "2024-02-29T10:00:00+00:00" "A file name of two lines"
sed -i 100,199d apples
commit "Ada Lovelace" "2024-02-29T12:00:00+00:00" "Thin"
printf 'GIF\0\377' >"cherry blossom.gif"
commit "森 鷗外" "2024-03-01T09:00:00+09:00" "A picture"
git checkout --quiet -b side HEAD~1
seq 1 7 >"quinces	and \"medlars\""
commit "Brontë, E." "2024-03-02T10:00:00+00:00" "Quote"
git checkout --quiet main
GIT_COMMITTER_DATE="2024-03-03T10:00:00+00:00" GIT_AUTHOR_DATE="2024-03-03T10:00:00+00:00" \
    git -c user.name=Merger -c user.email=m@example.org merge --quiet --no-edit side
sed -i '1,25s/$/ ripe/' apples
commit "Ada Lovelace" "2024-03-31T12:00:00+02:00" "Wait"
