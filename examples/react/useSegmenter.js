import { createSegmenter } from 'insitu-seg';
import { useEffect, useState } from 'react';

/** @import { Segmenter, SegmenterOptions } from 'insitu-seg' */

/** A segmenter for as long as the component lives. In strict mode React mounts twice: the first one is disposed of. @param {SegmenterOptions} [options] */
export function useSegmenter(options) {
  const [state, setState] = useState(
    /** @type {{ segmenter: Segmenter | null, error: Error | null }} */ ({ segmenter: null, error: null }),
  );
  useEffect(() => {
    let alive = true;
    const made = createSegmenter(options);
    made.then(
      (segmenter) => alive && setState({ segmenter, error: null }),
      (error) => alive && setState({ segmenter: null, error }),
    );
    return () => {
      alive = false;
      made.then(
        (segmenter) => segmenter.dispose(),
        () => {},
      );
    };
  }, []);
  return state;
}
