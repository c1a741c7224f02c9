/**
 * What the engine says of files, masks and itself, in German: each English sentence as the engine makes it, with {1}, {2} for what
 * differs. A test holds the English against the engine's sources.
 * @type {readonly (readonly [english: string, german: string])[]}
 */
export default [
  // Why this engine.
  ['The CPU was asked for', 'Die CPU wurde verlangt'],
  ['WebGPU was asked for; {1} is a software emulation and slow.', 'WebGPU wurde verlangt; {1} ist in Software nachgebildet und langsam.'],
  ['WebGPU was asked for.', 'WebGPU wurde verlangt.'],
  ['This browser offers the GPU through WebGPU.', 'Dieser Browser bietet die GPU über WebGPU.'],
  ['{1}; it uses {2} threads.', '{1}; sie nutzt {2} Threads.'],
  ['{1}; it uses one thread, as {2}.', '{1}; sie nutzt einen Thread, denn {2}.'],
  [
    'The CPU is used because the only WebGPU adapter, {1}, is a software emulation and slower than the CPU itself',
    'Die CPU rechnet, weil der einzige WebGPU-Adapter, {1}, in Software nachgebildet und langsamer als sie selbst ist',
  ],
  ['The CPU is used because WebGPU failed to start ({1})', 'Die CPU rechnet, weil WebGPU nicht gestartet ist ({1})'],
  ['The CPU is used because {1}', 'Die CPU rechnet; der Grund: {1}'],
  [
    'The CPU uses one thread because threads failed to start ({1}).',
    'Die CPU nutzt einen Thread, weil Threads nicht gestartet sind ({1}).',
  ],
  ['WebGPU needs a page served by https or from localhost', 'WebGPU braucht eine Seite über https oder von localhost'],
  ['this browser has no WebGPU (navigator.gpu is missing)', 'dieser Browser hat kein WebGPU (navigator.gpu fehlt)'],
  ['this browser has WebGPU but found no adapter it would use', 'dieser Browser hat WebGPU, fand aber keinen brauchbaren Adapter'],
  ['was asked for', 'das wurde verlangt'],
  ['the calling thread cannot wait for others', 'der aufrufende Thread kann nicht auf andere warten'],
  ['this page is not cross-origin isolated', 'diese Seite ist nicht „cross-origin isolated“'],
  ['this machine has one core', 'dieser Rechner hat einen Kern'],

  // Of a mask.
  [
    'the whole network saw no object; the box lies around its largest value',
    'Das erste Netz sah kein Objekt; der Kasten liegt um seinen größten Wert.',
  ],
  ['the whole network saw no {1} object: it is not in the mask', 'Das erste Netz sah kein Objekt „{1}“: Es ist nicht in der Maske.'],
  [
    'the whole network saw a {1} object only in the place of the {2} one: it is not in the mask',
    'Das erste Netz sah ein Objekt „{1}“ nur an der Stelle von „{2}“: Es ist nicht in der Maske.',
  ],
  [
    'the mask of the {1} object has no {2}: look at it before you trust it',
    'Die Maske des Objekts „{1}“ hat keine Voxel von „{2}“: sie ansehen, bevor Sie ihr trauen.',
  ],
  [
    'the {1} volume comes near the end of the image ({2}): if it goes on beyond, it is larger than measured',
    'Das Volumen „{1}“ reicht bis an den Rand des Bildes ({2}): Geht es dort weiter, ist es größer als gemessen.',
  ],
  ['left', 'links'],
  ['right', 'rechts'],
  ['posterior', 'hinten'],
  ['anterior', 'vorn'],
  ['inferior', 'unten'],
  ['superior', 'oben'],
  ['intracranial', 'intrakraniell'],
  ['the mask of the {1} object is empty', 'Die Maske des Objekts „{1}“ ist leer.'],
  ['the mask is empty', 'Die Maske ist leer.'],
  [
    'the mask of the {1} object touches the border of its box: it may be cut',
    'Die Maske des Objekts „{1}“ berührt den Rand ihres Kastens: Sie ist vielleicht abgeschnitten.',
  ],
  [
    "the axes of the file lie {1} degrees off those of the patient: the networks learned from upright images; resample the image to the patient's axes, or open the whole scan",
    'Die Achsen der Datei liegen {1} Grad schräg zu denen des Patienten, die Netze lernten an aufrechten Bildern: das Bild auf seine Achsen umrechnen oder den ganzen Kopf öffnen.',
  ],
  [
    'the networks agree by {1} only on the {2} object, where 1 is all: look at its mask before you trust it',
    'Die Netze stimmen beim Objekt „{2}“ nur zu {1} von 1 überein: die Maske ansehen, bevor Sie ihr trauen.',
  ],
  [
    'the field of view is {1}, this model was trained on {2} to {3}: do not expect a correct mask',
    'Das Bildfeld ist {1}, dieses Modell wurde mit {2} bis {3} trainiert: keine richtige Maske erwarten.',
  ],
  [
    '{1}: the image is unlike those that this model was trained on: {2}; do not expect a correct mask',
    '{1}: Das Bild ist anders als die, mit denen dieses Modell trainiert wurde: {2}; keine richtige Maske erwarten.',
  ],
  [
    'the image is unlike those that this model was trained on: {1}; do not expect a correct mask before the model is tuned',
    'Das Bild ist anders als die, mit denen dieses Modell trainiert wurde: {1}; ohne Nachtraining keine richtige Maske erwarten.',
  ],
  [
    "bright and dark lie elsewhere (correlation {1} with the training images' mean, as if the contrast were turned round; they have {2} to {3})",
    'hell und dunkel liegen anders (Korrelation {1} mit dem Mittel der Trainingsbilder, als wäre der Kontrast umgekehrt; diese haben {2} bis {3})',
  ],
  [
    "bright and dark lie elsewhere (correlation {1} with the training images' mean; they have {2} to {3})",
    'hell und dunkel liegen anders (Korrelation {1} mit dem Mittel der Trainingsbilder; diese haben {2} bis {3})',
  ],
  [
    'it is noisier (neighbours differ by {1}; those of the training images by {2} to {3})',
    'es rauscht mehr (Nachbarn unterscheiden sich um {1}; die der Trainingsbilder um {2} bis {3})',
  ],
  [
    'it is smoother (neighbours differ by {1}; those of the training images by {2} to {3})',
    'es ist glatter (Nachbarn unterscheiden sich um {1}; die der Trainingsbilder um {2} bis {3})',
  ],
  [
    'its grey values are spread otherwise (percentile {1} is {2}; {3} to {4} in training)',
    'seine Grauwerte sind anders verteilt (Perzentil {1} ist {2}; {3} bis {4} im Training)',
  ],

  // Of a file's header.
  ['the file states lengths in {1}; they are converted to mm', 'die Datei gibt Längen in {1} an; sie werden in mm umgerechnet'],
  ['the spacings are {1}; 0 counts as 1', 'die Voxelabstände sind {1}; 0 zählt als 1'],
  ['the spacings are {1}; the signs are ignored', 'die Voxelabstände sind {1}; die Vorzeichen zählen nicht'],
  [
    'the affine form (sform), which counts, differs from the quaternion form (qform) by up to {1} mm',
    'die affine Form (sform), die zählt, weicht von der Quaternionenform (qform) um bis zu {1} mm ab',
  ],
  ['the quaternion form is no rotation; the affine form counts', 'die Quaternionenform ist keine Drehung; die affine Form zählt'],
  ["code {1} is none of the standard's; the form counts all the same", 'Code {1} gibt es im Standard nicht; die Form zählt trotzdem'],
  [
    'the file does not say how the image lies in the patient; left and right are not known',
    'die Datei sagt nicht, wie das Bild im Patienten liegt; links und rechts sind nicht bekannt',
  ],
  [
    'the axes are sheared: {1} degrees apart; voxels are taken as they lie',
    'die Achsen sind geschert, sie bilden {1} Grad; die Voxel werden genommen, wie sie liegen',
  ],
  ['{1} bytes follow the voxels and are ignored', 'nach den Voxeln folgen {1} Bytes, die nicht zählen'],
  ['scl_slope is {1}; the values are not scaled', 'scl_slope ist {1}; die Werte werden nicht skaliert'],
  ['not stated', 'nicht angegeben'],
  ['none', 'keine'],
  ['by the affine form', 'nach der affinen Form'],
  ['by the quaternion form', 'nach der Quaternionenform'],
  ['at right angles', 'im rechten Winkel'],
  ['0: no scaling', '0: keine Skalierung'],
  ['NaN: no scaling', 'NaN: keine Skalierung'],
  ['{1} decoded', '{1} entpackt'],
  ['{1} bytes of voxels', '{1} Bytes Voxel'],
  ['{1} characters, which are not copied into outputs', '{1} Zeichen, die nicht in Ausgaben übernommen werden'],
];
