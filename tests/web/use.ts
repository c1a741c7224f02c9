/** The public names as a user writes them: compiled in strict mode against the installed package, and never run. */

import type {
  ErrorCode,
  ImageVolume,
  Input,
  LabelClass,
  ModelCard,
  ObjectBox,
  Plan,
  Progress,
  RunReport,
  Segmentation,
  Segmenter,
  Support,
  VolumeInfo,
} from 'insitu-seg';
import { benchmark, checkSupport, createSegmenter, InsituError, requestsSinceLoad } from 'insitu-seg';
import type { InsituSegmenter } from 'insitu-seg/element';
import type { NiivueLike } from 'insitu-seg/niivue';
import { drawnLabels, editMask, hideMask, NOT_ANNOTATED, showMask } from 'insitu-seg/niivue';
import { forgetEverything, listSessions, openSession } from 'insitu-seg/session';

export async function everything(file: File, nv: NiivueLike): Promise<void> {
  const support: Support = await checkSupport();
  const segmenter: Segmenter = await createSegmenter({
    model: new URL('https://example.org/model/'),
    backend: support.recommended,
    assets: '/assets/',
    maxBytes: 2 ** 30,
    cache: false,
    onProgress: ({ stage, reason }: Progress) => console.log(stage, reason?.length),
  });
  const inputs: Input[] = [file, new Uint8Array(8), new ArrayBuffer(8), { hdr: file, img: new Blob() }];
  const info: VolumeInfo = await segmenter.inspect(file, { signal: AbortSignal.timeout(1000) });
  const plan: Plan = await segmenter.plan(file, { train: true });
  const image: ImageVolume = await segmenter.read(file);
  const result: Segmentation = await segmenter.segment(inputs[0] ?? file, { onProgress: ({ done, total }) => console.log(done / total) });
  const boxes: ObjectBox[] = result.boxes;
  const [first] = boxes;
  if (first) await segmenter.segment(file, { boxes: { [first.object]: first }, only: true });
  const report: RunReport = result.report;
  const volumes: number[] = result.classes.map(({ milliliters }: LabelClass) => milliliters);
  const card: ModelCard = segmenter.model;
  const side: number = result.dims[0] + image.values.length + info.spacing_mm.length + (plan.training?.patch[0] ?? 0);
  const download = new Blob([result.toNifti(), result.toNrrd(), result.toCsv()]);
  console.log(
    download.size,
    report.ms,
    result.intracranialMl?.toFixed(),
    volumes,
    card.title,
    side,
    segmenter.modelFrom,
    segmenter.notes.join(),
    requestsSinceLoad(),
  );

  await showMask(nv, result, { opacity: 0.5 });
  await editMask(nv, result);
  const { labels } = drawnLabels(nv, { strokes: true, background: 3 });
  console.log(labels.filter((label) => label !== NOT_ANNOTATED).length);
  hideMask(nv);

  const element: InsituSegmenter = document.createElement('insitu-segmenter');
  element.addEventListener('insitu-result', ({ detail }) => console.log(detail.labels.length));
  await element.open(file);

  const session = await openSession('case');
  await session.append({ kind: 'stroke' }, labels);
  for (const { entry } of await session.records<{ kind: string }>()) console.log(entry.kind);
  await session.put('mask', result.toNifti());
  console.log((await session.get('mask'))?.size, await listSessions());
  await session.forget();
  await forgetEverything();

  const { forwardMs } = await benchmark({ base: 4, size: [16, 16, 16] });
  console.log(forwardMs);
  segmenter.dispose();
}

export function explain(thrown: unknown): ErrorCode | undefined {
  return thrown instanceof InsituError ? thrown.code : undefined;
}
