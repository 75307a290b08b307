#!/bin/sh
# again.sh COMMAND [ARGUMENT...]: runs a test and, if it fails, runs it up to twice more, loudly: on a busy machine that tells a broken test from a starved one.
for try in 1 2 3; do
	"$@" && exit 0
	status=$?
	[ $try = 3 ] && break
	echo "!!!!! RETRY $try of 2: status $status from: $*"
done
echo "!!!!! failed three times: $*"
exit $status
