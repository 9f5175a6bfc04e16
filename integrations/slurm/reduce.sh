#!/bin/sh
#SBATCH --requeue
#SBATCH --open-mode=append
# After the array, whatever became of it: sbatch --dependency=afterany:JOB --export=ALL,DIR=$PWD/work reduce.sh
exec epochscope batch reduce "$DIR" --threads "${SLURM_CPUS_PER_TASK:-1}"
