#!/bin/sh
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
# One task of a plan, as an array: sbatch --array=$(epochscope batch status "$DIR" --array) --export=ALL,DIR=$PWD/work array.sh
exec epochscope batch task "$DIR" --threads "${SLURM_CPUS_PER_TASK:-1}" --index $((SLURM_ARRAY_TASK_ID + ${OFFSET:-0}))
