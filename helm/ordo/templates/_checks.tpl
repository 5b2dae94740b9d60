{{/* What each value allows and several together do not. Rendered by every install (in broker.yaml). */}}
{{- define "ordo.checks" -}}
{{- if not .Values.database.existingSecret -}}
{{- fail "database.existingSecret is empty: name the secret with the connection string, made by `kubectl create secret generic ordo-database --from-literal=uri='postgresql://…'`" -}}
{{- end -}}
{{- if not .Values.keys.existingSecret -}}
{{- fail "keys.existingSecret is empty: brokers that listen beyond loopback need keys. Make them with `ordo keys new --role broker --out broker.key`, then `kubectl create secret generic ordo-keys --from-file=ordo.keys --from-file=broker.key --from-file=broker.key.pub`" -}}
{{- end -}}
{{- if and (gt (int .Values.broker.replicas) 1) (ne .Values.broker.service.type "ClusterIP") -}}
{{- fail (printf "broker.service.type is %s with broker.replicas %d: from outside a connection could end at a broker that stands by; use one replica, or a service of your own for each pod (extraObjects)" .Values.broker.service.type (int .Values.broker.replicas)) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]" (include "ordo.fullname" .)) -}}
{{- fail (printf "the release is called %s: names of services begin with a letter; set fullnameOverride" .Release.Name) -}}
{{- end -}}
{{- if gt (int (add .Values.broker.firstShard .Values.broker.shards)) 4096 -}}
{{- fail (printf "broker.firstShard %d with broker.shards %d: there are shards 0 to 4095" (int .Values.broker.firstShard) (int .Values.broker.shards)) -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled -}}
{{- fail "metrics.serviceMonitor.enabled and metrics.podMonitor.enabled: everything would be collected twice; choose one" -}}
{{- end -}}
{{- if .Values.monitor.enabled -}}
{{- if not .Values.monitor.keySecret -}}
{{- fail "monitor.keySecret is empty: `ordo keys new --role operator --name monitor --out monitor.key`, then `kubectl create secret generic ordo-monitor-key --from-file=monitor.key`" -}}
{{- end -}}
{{- if not .Values.monitor.tokensSecret -}}
{{- fail "monitor.tokensSecret is empty: `ordo-monitor token --role operator --name ann --file tokens`, then `kubectl create secret generic ordo-monitor-tokens --from-file=tokens`" -}}
{{- end -}}
{{- if and .Values.monitor.ingress.enabled (not .Values.monitor.ingress.host) -}}
{{- fail "monitor.ingress.host is empty: an Ingress needs a host" -}}
{{- end -}}
{{- if and .Values.monitor.ingress.enabled (not .Values.monitor.ingress.tlsSecret) -}}
{{- fail "monitor.ingress.tlsSecret is empty: tokens would travel in plain text; name the secret with the host's certificate" -}}
{{- end -}}
{{- end -}}
{{- $root := . -}}
{{- range $name, $own := .Values.workerPools -}}
{{- $at := printf "workerPools.%s" $name -}}
{{- $pool := include "ordo.pool" (list $root $own) | fromYaml -}}
{{- if not $pool.keySecret -}}
{{- fail (printf "%s.keySecret is empty: `ordo keys new --role worker --name %s --out worker.key`, then `kubectl create secret generic ordo-worker-%s --from-file=worker.key`" $at $name $name) -}}
{{- end -}}
{{- if and $pool.autoscaling.enabled $pool.keda.enabled -}}
{{- fail (printf "%s.autoscaling.enabled and %s.keda.enabled: two would scale one Deployment against each other; choose one" $at $at) -}}
{{- end -}}
{{- if $pool.autoscaling.enabled -}}
{{- if and (not $pool.queues) (not $pool.autoscaling.metrics) -}}
{{- fail (printf "%s.autoscaling needs %s.queues, whose tasks are counted, or metrics of its own" $at $at) -}}
{{- end -}}
{{- if gt (int $pool.autoscaling.minReplicas) (int $pool.autoscaling.maxReplicas) -}}
{{- fail (printf "%s.autoscaling.minReplicas %d is above maxReplicas %d" $at (int $pool.autoscaling.minReplicas) (int $pool.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- if $pool.keda.enabled -}}
{{- if and (not $pool.queues) (not $pool.keda.triggers) -}}
{{- fail (printf "%s.keda needs %s.queues, whose tasks are counted, or triggers of its own" $at $at) -}}
{{- end -}}
{{- if and (not $pool.keda.serverAddress) (not $pool.keda.triggers) -}}
{{- fail (printf "%s.keda.serverAddress is empty: give the URL of Prometheus, or triggers of its own" $at) -}}
{{- end -}}
{{- if gt (int $pool.keda.minReplicaCount) (int $pool.keda.maxReplicaCount) -}}
{{- fail (printf "%s.keda.minReplicaCount %d is above maxReplicaCount %d" $at (int $pool.keda.minReplicaCount) (int $pool.keda.maxReplicaCount)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
