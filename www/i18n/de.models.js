/** The sentences on models: which one runs, and how another comes in, in German. */
export default {
  modelChoice: 'Modell',
  modelOpen: 'Ein Modell öffnen',
  modelHint:
    'Ein Ordner oder .zip mit model.json und seinen Gewichten, oder ein nachtrainiertes Modell (.safetensors). Auf die Seite gezogen, wird es auch geöffnet.',
  modelFiles: 'Dateien oder .zip …',
  modelFolder: 'Ordner …',
  modelInput: 'Dateien eines Modells',
  modelFolderInput: 'Ordner eines Modells',
  modelAddress: 'Adresse',
  modelFetch: 'Laden',
  modelFromName: '{title} ({from})',
  modelTuned: '{title}, nachtrainiert',
  modelTunedFrom: '{title}, nachtrainiert ({from})',
  modelLastVisit: 'letzter Besuch',
  modelLoading: 'Das Modell wird geladen: {name} …',
  modelNow: 'Das Modell ist jetzt: {title}.',
  modelNowMask:
    'Das Modell ist jetzt: {title}. Masken bleiben, wie sie sind; Segmentieren macht eine neue, und Rückgängig bringt die vorige zurück.',
  madeBy: 'Gemacht von: {title}.',
  madeByTuned: 'Gemacht von: {title}, nachtrainiert.',
  madeByVariant: 'Gemacht von: {title}, Ihre eigene Variante „{name}“.',
  madeByOther: 'Das jetzt gewählte Modell ist ein anderes.',
  modelNone:
    '{name}: kein Modell gefunden, erwartet wird ein Ordner oder .zip mit model.json und seinen Gewichten, oder ein nachtrainiertes Modell (.safetensors).',
  modelLoneWeights:
    '{name}: Gewichte ohne ihre model.json gefunden, erwartet wird beides: öffnen Sie den ganzen Ordner oder ein .zip davon.',
  modelManyTuned: '{name}: mehrere nachtrainierte Modelle gefunden ({names}), erwartet wird eines.',
  modelMany: 'Mehrere Modelle gefunden ({names}), erwartet wird eines: öffnen Sie sie nacheinander.',
  modelBadZip: '{name}: die Datei lässt sich nicht entpacken, erwartet wird ein .zip.',
  modelLargeZip: '{name}: entpackt mehr als 1 GiB gefunden, erwartet wird ein Modell.',
  modelNoBase: '{name}: das wurde vom Modell {base} nachtrainiert, das nicht hier ist: öffnen Sie zuerst jenes Modell.',
  modelLinkBad: 'Erwartet wird der Name eines Modells ({names}) oder seine Adresse, gefunden wurde {address}.',
  modelLinkNone: '{address}: eine Webseite gefunden, erwartet wird ein Ordner mit model.json.',
  modelLinkFailed:
    '{address} konnte nicht geladen werden ({reason}): erwartet wird ein Ordner mit model.json, eine .zip- oder eine .safetensors-Datei.',
  linkBox: 'Erwartet wird eine Box als X,Y,Z,X,Y,Z, Voxel der Datei von einer Ecke bis vor die andere, gefunden wurde {found}.',
  linkedBox: 'Der erste Lauf sucht in der Box der Adresse: {box}.',
  linkedBoxOf: 'Der erste Lauf sucht {object} in der Box der Adresse: {box}.',
};
