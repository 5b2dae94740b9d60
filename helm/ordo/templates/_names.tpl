{{/* Names, labels, images, addresses. */}}

{{- define "ordo.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 35 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 35 characters: with what is put behind it, names must fit into 63. */}}
{{- define "ordo.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 35 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | replace "." "-" | trunc 35 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | replace "." "-") $name | trunc 35 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Never changes for a release: selectors are immutable. (list $ component) */}}
{{- define "ordo.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "ordo.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- if gt (len .) 2 }}
ordo-pool: {{ index . 2 }}
{{- end }}
{{- end -}}

{{/* (list $ component [pool]) */}}
{{- define "ordo.labels" -}}
{{- $root := index . 0 -}}
{{ include "ordo.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: ordo
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of a pod: those of its object and its own. (list $ component values [pool]) */}}
{{- define "ordo.podLabels" -}}
{{- $root := index . 0 -}}
{{- $of := list $root (index . 1) -}}
{{- if gt (len .) 3 }}{{ $of = append $of (index . 3) }}{{ end -}}
{{ include "ordo.selector" $of }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- with (index . 2).podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (list $ image): what the second leaves empty is taken from .Values.image. */}}
{{- define "ordo.image" -}}
{{- $root := index . 0 -}}
{{- $own := default dict (index . 1) -}}
{{- $base := $root.Values.image -}}
{{- $registry := coalesce $root.Values.global.imageRegistry $own.registry $base.registry -}}
{{- $repository := default $base.repository $own.repository -}}
{{- $digest := $own.digest -}}
{{- $tag := $own.tag -}}
{{- if not $own.repository -}}
{{- if not $tag }}{{ $digest = default $base.digest $digest }}{{ end -}}
{{- $tag = default $base.tag $tag -}}
{{- end -}}
{{- if $registry }}{{ $registry }}/{{ end }}{{ $repository }}
{{- if $digest }}@{{ $digest }}{{ else }}:{{ default $root.Chart.AppVersion $tag }}{{ end -}}
{{- end -}}

{{- define "ordo.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "ordo.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "ordo.system" -}}
{{- default (printf "%s-%s" .Release.Namespace (include "ordo.fullname" .)) .Values.broker.system -}}
{{- end -}}

{{/* Every broker's address, by its pod's name: clients and workers dial all. (list $ scheme port) */}}
{{- define "ordo.brokers" -}}
{{- $root := index . 0 -}}
{{- $scheme := index . 1 -}}
{{- $port := index . 2 -}}
{{- $name := printf "%s-broker" (include "ordo.fullname" $root) -}}
{{- $all := list -}}
{{- range $i := until (int $root.Values.broker.replicas) -}}
{{- $all = append $all (printf "%s://%s-%d.%s-pods.%s.svc:%d" $scheme $name $i $name $root.Release.Namespace (int $port)) -}}
{{- end -}}
{{- join "," $all -}}
{{- end -}}

{{/* A pool: its fields over workerDefaults, maps of one level joined, as YAML. (list $ pool) */}}
{{- define "ordo.pool" -}}
{{- $root := index . 0 -}}
{{- $pool := deepCopy (default dict (index . 1)) -}}
{{- range $key, $value := $root.Values.workerDefaults -}}
{{- if not (hasKey $pool $key) -}}
{{- $_ := set $pool $key $value -}}
{{- else if has $key (list "autoscaling" "keda" "metrics" "pdb") -}}
{{- $joined := deepCopy $value -}}
{{- range $k, $v := index $pool $key }}{{ $_ := set $joined $k $v }}{{ end -}}
{{- $_ := set $pool $key $joined -}}
{{- end -}}
{{- end -}}
{{ toYaml $pool }}
{{- end -}}

{{/* Tasks of a pool that wait or run, of all brokers together. (list $ queues) */}}
{{- define "ordo.tasksQuery" -}}
{{- $quoted := list -}}
{{- range index . 1 }}{{ $quoted = append $quoted (regexQuoteMeta . | replace "\\" "\\\\") }}{{ end -}}
sum({__name__=~"ordo_queue_(ready|backlog|leased)",system="{{ include "ordo.system" (index . 0) }}",queue=~"{{ join "|" $quoted }}"})
{{- end -}}
