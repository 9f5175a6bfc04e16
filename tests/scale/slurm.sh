#!/bin/bash
# A real Slurm on this machine, for tests: slurm.sh up STATE [NODES], slurm.sh down STATE. Everything of it lies in STATE, its own
# munge key and socket too; nothing of the system's is touched. As root, with Debian's slurm-wlm and munge.
set -eu
what=$1
state=$2
if [ "$what" = down ]; then
  pids=$(cat "$state"/slurmd-*.pid "$state"/ctld.pid "$state"/munge/pid 2>/dev/null || true)
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  # They write their state while they stop.
  for pid in $pids; do
    for _ in $(seq 1 600); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  done
  exit 0
fi
nodes=${3:-2}
rm -rf "$state"
mkdir -p "$state/munge" "$state/ctld" "$state/log"
chmod 700 "$state/munge"
chmod 755 "$state"
host=$(hostname -s)
# Ports, and numbers of jobs, that no other Slurm of this kind has.
port=16917
while (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 20)); done
head -c 1024 /dev/urandom > "$state/munge/key"
chmod 400 "$state/munge/key"
munged --key-file="$state/munge/key" --socket="$state/munge/sock" --pid-file="$state/munge/pid" \
  --log-file="$state/munge/log" --seed-file="$state/munge/seed" --num-threads=1 --force
cat > "$state/slurm.conf" <<C
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge/sock
CredType=cred/munge
SlurmctldPort=$port
FirstJobId=$((port * 100))
SlurmctldPidFile=$state/ctld.pid
SlurmdPidFile=$state/slurmd-%n.pid
SlurmdSpoolDir=$state/spool-%n
StateSaveLocation=$state/ctld
SlurmctldLogFile=$state/log/ctld
SlurmdLogFile=$state/log/slurmd-%n
SlurmdTimeout=20
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$state/log/jobcomp
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PropagatePrioProcess=1
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1
SlurmdParameters=config_overrides
MaxArraySize=10001
MinJobAge=300
ReturnToService=2
KillWait=2
SwitchType=switch/none
C
for i in $(seq 1 "$nodes"); do
  echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + i)) CPUs=1 RealMemory=16000 State=UNKNOWN"
done >> "$state/slurm.conf"
echo "PartitionName=all Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO" >> "$state/slurm.conf"
export SLURM_CONF=$state/slurm.conf
slurmctld -c
for i in $(seq 1 "$nodes"); do
  mkdir -p "$state/spool-n$i"
  slurmd -c -N "n$i"
done
for _ in $(seq 1 300); do
  [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = "$nodes" ] && exit 0
  sleep 0.1
done
echo "Slurm did not come up; its logs are in $state/log" >&2
exit 1
