#!/bin/sh
# notify.sh INSTANCE|GROUP|QUORUM NAME STATE PRIORITY: runs once per change, in order, never two at a time for one object.
kind=$1 name=$2 state=$3 priority=$4
logger -t holdfast-notify "$kind $name is $state (priority $priority)"
case "$kind $state" in
    "INSTANCE MASTER") ;; # start what only the owner of the address may run
    "INSTANCE BACKUP" | "INSTANCE FAULT" | "INSTANCE STOP") ;; # stop it
esac
